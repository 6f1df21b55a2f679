import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { constants } from "node:os";
import type { Duplex } from "node:stream";
import type {
  ContainerConfig,
  ContainerExit,
  ContainerProcess,
  ExecConfig,
  ExecProcess,
  PodSandbox,
  Sandbox,
} from "../../src/sandbox/sandbox.ts";

/** A sandbox of plain child processes on loopback, without any isolation: enough to see what the kubelet does with one. */
export function childSandbox(): Sandbox & { readonly removed: string[] } {
  const removed: string[] = [];
  return {
    removed,
    capabilities: {
      isolation: "processes",
      networkPolicy: false,
      runAsUser: false,
      readOnlyRoot: false,
      memoryLimit: "watched",
      cpuLimit: false,
      notes: [],
    },
    createPod: async ({ name }) => new ChildPod(() => removed.push(name)),
    close: async () => undefined,
  };
}

class ChildPod implements PodSandbox {
  readonly address = "127.0.0.1";
  readonly #children = new Set<ContainerProcess>();
  readonly #removed: () => void;

  constructor(removed: () => void) {
    this.#removed = removed;
  }

  async start(config: ContainerConfig): Promise<ContainerProcess> {
    const child = await spawned(config.argv, config.env, config.stdin);
    const exited = exitOf(child);
    const started: ContainerProcess = {
      pid: child.pid ?? 0,
      stdin: config.stdin ? (child.stdin ?? undefined) : undefined,
      stdout: child.stdout!,
      stderr: child.stderr!,
      exited,
      kill: (signal) => child.kill(signal),
      exec: (exec) => execute(exec, config.env),
      usage: async () => ({ cpuNanoseconds: 2_000_000_000, workingSetBytes: 1 << 20 }),
    };
    this.#children.add(started);
    return started;
  }

  async connect(port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket));
      socket.once("error", reject);
    });
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    this.#removed();
  }
}

async function execute({ argv, env, stdin }: ExecConfig, base: Readonly<Record<string, string>>): Promise<ExecProcess> {
  const child = await spawned(argv, { ...base, ...env }, stdin);
  return {
    stdin: stdin ? (child.stdin ?? undefined) : undefined,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exited: exitOf(child),
    kill: (signal) => void child.kill(signal),
    resize: () => undefined,
  };
}

function spawned(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin: boolean,
): Promise<ChildProcess> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    env: { PATH: process.env["PATH"], ...env },
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child));
    child.once("error", reject);
  });
}

function exitOf(child: ChildProcess): Promise<ContainerExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) =>
      resolve({
        exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0),
        ...(signal ? { signal } : {}),
        oomKilled: false,
      }),
    );
  });
}
