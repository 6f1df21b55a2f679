import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Base } from "./base.ts";
import type { Cgroup, CgroupMaker } from "./cgroups.ts";
import type { PodFiles } from "./etc-files.ts";
import { environmentText } from "./environment.ts";
import { enterProgram } from "./exec.ts";
import { exitOf } from "./exit.ts";
import { formatFstab } from "./fstab.ts";
import { launchCommand } from "./launch.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import { closeWriters, type Pipe, type PipeMaker } from "./pipes.ts";
import {
  anonymousBytesOf,
  catchesSignal,
  cpuNanosecondsOf,
  descendant,
  firstOfNamespace,
  killNamespace,
  sendSignal,
  treeOf,
} from "./process-tree.ts";
import { toolEnvironment } from "./programs.ts";
import { layOutRoot } from "./root.ts";
import type {
  ContainerConfig,
  ContainerExit,
  ContainerProcess,
  ContainerUsage,
  ExecConfig,
  ExecProcess,
} from "./sandbox.ts";

/** What all containers of a world share. */
export interface ContainerHost {
  readonly scratch: string;
  readonly base: Base;
  readonly pipes: PipeMaker;
  readonly cgroups: CgroupMaker | undefined;
  readonly memoryWatch: MemoryWatch;
  readonly userNamespace: boolean;
  /** Makes the programs that roots of image layers need, once. */
  readonly tools: () => Promise<void>;
}

export interface ContainerPlace {
  readonly host: ContainerHost;
  readonly pod: PodFiles;
  readonly networkNamespace: string;
}

export async function startContainer(place: ContainerPlace, config: ContainerConfig): Promise<NamespaceContainer> {
  const { host, pod, networkNamespace } = place;
  const folder = join(host.scratch, "containers", config.id);
  mkdirSync(folder, { recursive: true });
  const cgroup = host.cgroups?.create(config.id, config.limits);
  const giveBack = () => {
    cgroup?.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    if (config.root !== "host") await host.tools();
    const { userNamespace, base } = host;
    const { inodes, mounts } = layOutRoot({ folder, base, config, pod, userNamespace });
    writeFileSync(join(folder, "fstab"), formatFstab(mounts));
    const argv = launchCommand({
      config,
      folder,
      inodes,
      networkNamespace,
      userNamespace,
      hostname: pod.config.hostname,
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "0", ...pod.config.sysctls },
      cgroupFiles: cgroup?.processFiles ?? [],
    });
    const pipes = await Promise.all([host.pipes.make(), host.pipes.make()]);
    const child = spawnOn(pipes, config, argv);
    await started(child).catch((error: unknown) => {
      for (const { reader } of pipes) reader.destroy();
      throw error;
    });
    return new NamespaceContainer({ child, pipes, config, cgroup, host, giveBack });
  } catch (error) {
    giveBack();
    throw error;
  }
}

function spawnOn(pipes: readonly [Pipe, Pipe], config: ContainerConfig, argv: readonly string[]): ChildProcess {
  const [program = "", ...rest] = argv;
  // script(1) takes the end of its input for the user's Ctrl-D, so a terminal always has an input.
  const stdin = config.stdin || config.tty ? "pipe" : "ignore";
  const environment = environmentText(config);
  const child = spawn(program, rest, {
    env: toolEnvironment,
    stdio: [stdin, pipes[0].writer, pipes[1].writer, "pipe"],
  });
  closeWriters(pipes);
  // Whoever ends before it is read says why on the way back.
  (child.stdio[3] as Duplex).on("error", () => undefined).write(environment);
  child.stdin?.on("error", () => undefined);
  return child;
}

/** Waits for the word of the container's first process that the program is next; anything else said before is why there will be none. */
function started(child: ChildProcess): Promise<void> {
  const status = child.stdio[3] as Readable;
  return new Promise((resolve, reject) => {
    let text = "";
    status.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.endsWith("started\n")) resolve();
    });
    status.on("close", () => {
      const why = text.trim() || "ended before it began";
      reject(new Error(why.startsWith("exec: ") ? why : `the container cannot be made: ${why}`));
    });
    child.on("error", reject);
  });
}

interface Running {
  readonly child: ChildProcess;
  readonly pipes: readonly [Pipe, Pipe];
  readonly config: ContainerConfig;
  readonly cgroup: Cgroup | undefined;
  readonly host: ContainerHost;
  readonly giveBack: () => void;
}

export class NamespaceContainer implements ContainerProcess {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  readonly exited: Promise<ContainerExit>;
  readonly #running: Running;
  /** The container's number 1 as the agent sees it. */
  readonly #first: number;
  #ended = false;
  #overLimit = false;
  /** unshare cannot end itself with SIGKILL as its child was, and ends with 1 instead. */
  #killed = false;

  constructor(running: Running) {
    const { child, pipes, config, host, cgroup } = running;
    this.#running = running;
    const outer = child.pid ?? 0;
    this.#first = firstOfNamespace(outer) ?? outer;
    this.stdin = config.stdin ? (child.stdin ?? undefined) : undefined;
    this.stdout = pipes[0].reader;
    this.stderr = config.tty ? undefined : pipes[1].reader;
    if (config.tty) pipes[1].reader.resume();
    const forget = cgroup ? () => undefined : this.#watchMemory(host.memoryWatch);
    this.exited = new Promise((resolve) => {
      const ended = async (code: number | null, signal: NodeJS.Signals | null) => {
        this.#ended = true;
        forget();
        // unshare never ends itself so: it was killed from outside, and what it held has to be ended by us.
        if (signal === "SIGKILL") await killNamespace(this.#first);
        const oomKilled = this.#overLimit || (cgroup?.oomKills() ?? 0) > 0;
        resolve(this.#killed ? exitOf(null, "SIGKILL", oomKilled) : exitOf(code, signal, oomKilled));
        running.giveBack();
      };
      // A short program's end may have been told before its start was read from the pipe.
      if (child.exitCode === null && child.signalCode === null) child.on("exit", (...how) => void ended(...how));
      else void ended(child.exitCode, child.signalCode);
    });
  }

  /** Below the first process, and below script(1) where there is a terminal: see launch.ts. */
  get pid(): number {
    return descendant(this.#first, this.#running.config.tty ? 2 : 1);
  }

  /** As for the first process of any container: what it has no handler for does nothing (pid_namespaces(7)), SIGKILL and SIGSTOP aside. */
  kill(signal: NodeJS.Signals): boolean {
    if (this.#ended) return false;
    if (signal === "SIGKILL") {
      this.#killed = true;
      sendSignal(this.#first, signal);
      return true;
    }
    const program = this.pid;
    const heard = signal === "SIGSTOP" || signal === "SIGCONT" || catchesSignal(program, constants.signals[signal]);
    if (heard) sendSignal(program, signal);
    return heard;
  }

  exec(config: ExecConfig): Promise<ExecProcess> {
    if (this.#ended) return Promise.reject(new Error("the container is not running"));
    const { config: container, cgroup, host } = this.#running;
    const cgroupFiles = cgroup?.processFiles ?? [];
    const { userNamespace, pipes } = host;
    return enterProgram(pipes, { config: container, cgroupFiles, userNamespace, pid: this.#first }, config);
  }

  usage(): Promise<ContainerUsage> {
    const { cgroup } = this.#running;
    return Promise.resolve(cgroup?.usage() ?? measure(this.#first));
  }

  #watchMemory(watch: MemoryWatch): () => void {
    const limit = this.#running.config.limits.memoryBytes;
    if (!limit) return () => undefined;
    return watch.add({
      limit,
      measure: () => measure(this.#first).workingSetBytes,
      exceeded: () => {
        this.#overLimit = true;
        this.kill("SIGKILL");
      },
    });
  }
}

function measure(first: number): ContainerUsage {
  const processes = treeOf(first);
  const sum = (of: (pid: number) => number) => processes.reduce((total, pid) => total + of(pid), 0);
  return { cpuNanoseconds: sum(cpuNanosecondsOf), workingSetBytes: sum(anonymousBytesOf) };
}
