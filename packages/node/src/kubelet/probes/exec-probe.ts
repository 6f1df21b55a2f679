import { messageOf } from "@dhow/base";
import type { ContainerProcess } from "../../sandbox/sandbox.ts";
import { failure, type ProbeOutcome, success } from "./probe-outcome.ts";

const maximumOutput = 10 << 10;

export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  readonly timedOut: boolean;
}

/** Runs a command in a container to its end; after `timeoutMilliseconds` it is killed. */
export async function runInContainer(
  container: ContainerProcess,
  argv: readonly string[],
  timeoutMilliseconds: number,
): Promise<CommandResult> {
  const child = await container.exec({ argv, tty: false, stdin: false });
  let output = "";
  const collect = (piece: Buffer) => {
    if (output.length < maximumOutput) output += piece.toString();
  };
  child.stdout.on("data", collect);
  child.stderr?.on("data", collect);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMilliseconds);
  const { exitCode } = await child.exited;
  clearTimeout(timer);
  return { exitCode, output: output.slice(0, maximumOutput), timedOut };
}

/** Well when the command ends with 0 (pkg/probe/exec/exec.go). */
export async function execProbe(
  container: ContainerProcess,
  argv: readonly string[],
  timeoutSeconds: number,
): Promise<ProbeOutcome> {
  try {
    const { exitCode, output, timedOut } = await runInContainer(container, argv, timeoutSeconds * 1000);
    if (timedOut) return failure(`command timed out: "${argv.join(" ")}" timed out after ${timeoutSeconds}s`);
    return exitCode === 0 ? success : failure(output);
  } catch (error) {
    return failure(messageOf(error));
  }
}
