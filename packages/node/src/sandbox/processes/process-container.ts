import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { exitOf } from "../exit.ts";
import type { MemoryWatch } from "../memory-watch.ts";
import { closeWriters, type Pipe, type PipeMaker } from "../pipes.ts";
import { anonymousBytesOf, cpuNanosecondsOf, treeOf } from "../process-tree.ts";
import type {
  ContainerConfig,
  ContainerExit,
  ContainerProcess,
  ContainerUsage,
  ExecConfig,
  ExecProcess,
} from "../sandbox.ts";
import type { Guard } from "./guard.ts";
import type { translateContainer } from "./translate.ts";

export interface ProcessContainerOptions {
  readonly config: ContainerConfig;
  /** With the host's paths. */
  readonly translated: ReturnType<typeof translateContainer>;
  readonly guard: Guard;
  readonly pipes: PipeMaker;
  readonly memoryWatch: MemoryWatch;
}

/** A container that is a process group and nothing more. */
export class ProcessContainer implements ContainerProcess {
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  readonly exited: Promise<ContainerExit>;
  readonly #options: ProcessContainerOptions;
  readonly #child: ChildProcess;
  #overLimit = false;

  /** Resolves when the program runs, or rejects with why it cannot. */
  static async start(options: ProcessContainerOptions): Promise<ProcessContainer> {
    const { config, translated } = options;
    const pipes = await makePipes(options.pipes);
    const child = launch(options, translated.argv, config.env, config.stdin, pipes);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    return new ProcessContainer(options, child, pipes);
  }

  constructor(options: ProcessContainerOptions, child: ChildProcess, pipes: Pipes) {
    this.#options = options;
    this.#child = child;
    this.pid = child.pid ?? 0;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = streamsOf(child, pipes));
    const { guard, memoryWatch, config } = options;
    guard.add(this.pid);
    const limit = config.limits.memoryBytes;
    const exceeded = () => {
      this.#overLimit = true;
      this.kill("SIGKILL");
    };
    const measure = () => sum(this.pid, anonymousBytesOf);
    const forget = limit ? memoryWatch.add({ limit, measure, exceeded }) : () => undefined;
    this.exited = new Promise((resolve) => {
      child.on("exit", (code, signal) => {
        forget();
        // What the program has left behind in its group goes with it.
        signalGroup(this.pid, "SIGKILL");
        guard.remove(this.pid);
        resolve(exitOf(code, signal, this.#overLimit));
      });
    });
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return false;
    if (signal !== "SIGKILL") return this.#child.kill(signal);
    signalGroup(this.pid, signal);
    return true;
  }

  async exec(config: ExecConfig): Promise<ExecProcess> {
    const { translated, config: container, guard } = this.#options;
    const pipes = await makePipes(this.#options.pipes);
    const argv = config.argv.map(translated.translate);
    const child = launch(this.#options, argv, { ...container.env, ...config.env }, config.stdin, pipes);
    const exited = new Promise<ContainerExit>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        guard.remove(child.pid ?? 0);
        resolve(exitOf(code, signal));
      });
    });
    if (child.pid) guard.add(child.pid);
    return { ...streamsOf(child, pipes), exited, kill: (signal) => void child.kill(signal), resize: () => undefined };
  }

  async usage(): Promise<ContainerUsage> {
    return { cpuNanoseconds: sum(this.pid, cpuNanosecondsOf), workingSetBytes: sum(this.pid, anonymousBytesOf) };
  }
}

function launch(
  { config, translated }: ProcessContainerOptions,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin: boolean,
  pipes: Pipes,
): ChildProcess {
  const [program = "", ...rest] = argv;
  const stdio: StdioOptions = [stdin ? "pipe" : "ignore", pipes[0].writer, pipes[1].writer];
  const variables = Object.entries(env).map(([name, value]) => [name, translated.translate(value)]);
  const child = spawn(program, rest, {
    cwd: translated.workingDirectory,
    env: { PATH: process.env["PATH"], ...(Object.fromEntries(variables) as Record<string, string>) },
    stdio,
    detached: true,
    // Only root may become somebody else.
    ...(process.getuid?.() === 0 ? { uid: config.user, gid: config.group } : {}),
  });
  closeWriters(pipes);
  child.stdin?.on("error", () => undefined);
  return child;
}

type Pipes = readonly [Pipe, Pipe];

function makePipes(maker: PipeMaker): Promise<Pipes> {
  return Promise.all([maker.make(), maker.make()]);
}

function streamsOf(child: ChildProcess, pipes: Pipes) {
  return { stdin: child.stdin ?? undefined, stdout: pipes[0].reader, stderr: pipes[1].reader };
}

function sum(pid: number, of: (pid: number) => number): number {
  return treeOf(pid).reduce((total, each) => total + of(each), 0);
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left in it.
  }
}
