import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { environmentText } from "./environment.ts";
import { exitOf } from "./exit.ts";
import { enterCommand } from "./launch.ts";
import { closeWriters, type PipeMaker } from "./pipes.ts";
import { descendant, sendSignal } from "./process-tree.ts";
import { toolEnvironment } from "./programs.ts";
import type { ExecConfig, ExecProcess } from "./sandbox.ts";
import { resizeTerminal } from "./terminal.ts";

/** Runs a further program in a container, with the identity of its own. */
export async function enterProgram(
  pipeMaker: PipeMaker,
  container: Parameters<typeof enterCommand>[0],
  config: ExecConfig,
): Promise<ExecProcess> {
  const argv = enterCommand(container, config);
  const [program = "", ...rest] = argv;
  const pipes = await Promise.all([pipeMaker.make(), pipeMaker.make()]);
  const stdin = config.stdin || config.tty ? "pipe" : "ignore";
  const environment = environmentText(container.config, config.env);
  const child = spawn(program, rest, {
    env: toolEnvironment,
    stdio: [stdin, pipes[0].writer, pipes[1].writer, "pipe"],
  });
  closeWriters(pipes);
  (child.stdio[3] as Duplex).on("error", () => undefined).end(environment);
  child.stdin?.on("error", () => undefined);
  if (config.tty) pipes[1].reader.resume();
  return {
    stdin: config.stdin ? (child.stdin ?? undefined) : undefined,
    stdout: pipes[0].reader,
    stderr: config.tty ? undefined : pipes[1].reader,
    exited: new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => resolve(exitOf(code, signal)));
    }),
    kill: (signal) => killProgram(child, config.tty ? 2 : 1, signal),
    resize: (size) => void resizeTerminal(() => scriptOf(child), size).catch(() => undefined),
  };
}

/** nsenter waits outside for what runs inside, which is script(1) where there is a terminal, and that waits for the program. */
function killProgram(child: ChildProcess, waiters: number, signal: NodeJS.Signals): void {
  const pid = running(child);
  if (pid !== undefined) sendSignal(descendant(pid, waiters), signal);
}

function scriptOf(child: ChildProcess): number | undefined {
  const pid = running(child);
  return pid === undefined ? undefined : descendant(pid, 1);
}

/** The process id while it is the child's own. */
function running(child: ChildProcess): number | undefined {
  return child.exitCode === null && child.signalCode === null ? child.pid : undefined;
}
