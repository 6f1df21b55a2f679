import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { eventually } from "@dhow/testkit";
import { programs } from "./programs/all.ts";
import type { Outcome, User } from "./properties.ts";

const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** Why a column cannot be tried here. */
export function impossible(user: User): string | undefined {
  const isRoot = process.getuid?.() === 0;
  if (user === "root") return isRoot ? undefined : "not root";
  if (!isRoot) return undefined;
  const [program = "", ...rest] = nobody;
  const trial = spawnSync(program, [
    ...rest,
    process.execPath,
    "-e",
    `require("fs").readdirSync(${JSON.stringify(import.meta.dirname)})`,
  ]);
  return trial.status === 0 ? undefined : "an ordinary user cannot read this checkout";
}

export interface TrialResult {
  readonly outcomes: readonly Outcome[];
  /** Milliseconds from the wish for a pod to its first process. */
  readonly starts: readonly number[];
}

interface Said {
  readonly folder?: string;
  readonly outcomes?: readonly Outcome[];
  readonly started?: { readonly milliseconds: number };
  readonly ended?: unknown;
  readonly impossible?: string;
  readonly failed?: string;
  readonly done?: boolean;
}

/** Runs one column; ends it with kill -9 of its host process while all pods run, and looks for what is left. */
export async function tryColumn(user: User): Promise<TrialResult | { readonly impossible: string }> {
  const before = traces();
  const host = startHost(user, user === "without namespaces" ? "outside.ts" : "host.ts");
  const outcomes: Outcome[] = [];
  const starts: number[] = [];
  const folders: string[] = [];
  const ended: unknown[] = [];
  try {
    const finish = await new Promise<Said>((resolve, reject) => {
      host.on("message", (said: Said) => {
        if (said.folder) folders.push(said.folder);
        if (said.outcomes) outcomes.push(...said.outcomes);
        if (said.started) starts.push(said.started.milliseconds);
        if (said.ended) ended.push(said.ended);
        if (said.done || said.impossible || said.failed) resolve(said);
      });
      host.on("error", reject);
      host.on("exit", (code) => reject(new Error(`the host process ended with ${code}`)));
    });
    if (finish.impossible) return { impossible: finish.impossible };
    if (finish.failed) throw new Error(finish.failed);
    if (ended.length > 0) throw new Error(`pods ended by themselves: ${JSON.stringify(ended)}`);
    outcomes.push(...(await killAndLook(host, before, user)));
    return { outcomes, starts };
  } finally {
    host.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function startHost(user: User, file: string, ...words: string[]): ChildProcess {
  const become = user !== "root" && process.getuid?.() === 0 ? nobody : [];
  const argv = [...become, process.execPath, fileURLToPath(new URL(file, import.meta.url)), ...words];
  return spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

async function killAndLook(host: ChildProcess, before: readonly string[], user: User): Promise<Outcome[]> {
  const processes = treeOf(host.pid ?? 0);
  const groups = new Set(processes.flatMap(cgroupsOf));
  let left = "";
  host.kill("SIGKILL");
  try {
    await eventually(() => {
      left = processes.filter(runs).join(", ");
      return left === "";
    }, 10_000);
    left = traces()
      .filter((trace) => !before.includes(trace))
      .join(", ");
    // Empty control groups outlive what was in them; the next start clears them away.
    if (groups.size > 0) await startBriefly(user);
    left ||= [...groups].filter((group) => groupNames().includes(group)).join(", ");
  } catch {
    // `left` says it.
  }
  const present = programs.filter((program) => program.missing() === undefined);
  return present.map(({ name }) => ({
    program: name,
    property: "nothing left after kill -9 of everything outside",
    verdict: left === "" ? "kept" : "broken",
    detail: left,
  }));
}

function startBriefly(user: User): Promise<unknown> {
  const host = startHost(user, "host.ts", "brief");
  return new Promise((resolve) => host.on("exit", resolve));
}

/** What of the machine itself a cluster could leave changed: mounts and network interfaces. */
function traces(): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [...mounts.map((line) => line.split(" ")[4] ?? ""), ...readdirSync("/sys/class/net")];
}

function cgroupsOf(pid: number): string[] {
  return [...readProc(pid, "cgroup").matchAll(/\/(dhow-\w+)\//g)].map(([, name]) => name ?? "");
}

function groupNames(): string[] {
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"].flatMap((folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  });
}

function treeOf(pid: number): number[] {
  const children = readProc(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(treeOf)];
}

/** A zombie that nobody has waited for yet runs no more. */
function runs(pid: number): boolean {
  return /^State:\t[^ZX]/m.test(readProc(pid, "status"));
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
