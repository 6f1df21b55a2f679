// What a cluster has on the machine while it runs, and what is left of it afterwards.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { portOwner, runningCluster } from "@dhow/cluster";
import { stateFolder } from "@dhow/development";

export interface Footprint {
  /** Every process of the host's, the pods' programs included, with the time of its start. */
  readonly processes: ReadonlyMap<number, string>;
  readonly ports: readonly number[];
  readonly folder: string;
  readonly sockets: string;
}

/** Looks at the cluster that runs for this folder; `uid` is that of who runs it, where that is somebody else. */
export function footprint(
  folder: string,
  other: { ports?: readonly number[]; uid?: number | undefined } = {},
): Footprint {
  const running = runningCluster(stateFolder(folder));
  if (!running) throw new Error(`no cluster runs for ${folder}`);
  const pids = treeOf(running.pid);
  const ports = [running.ingressPort, running.httpsPort, Number(new URL(running.server).port), ...(other.ports ?? [])];
  const { sockets, id } = stateFolder(folder);
  return {
    folder,
    sockets: other.uid === undefined ? sockets : join(tmpdir(), `dhow-${other.uid}`, id),
    processes: new Map(pids.map((pid) => [pid, startOf(pid) ?? ""])),
    ports: ports.filter((port) => port !== 0),
  };
}

/**
 * Everything of it that is still there, a line each. A namespace is there as long as a process is in it or a mount holds it, and the kernel
 * gives its number to the next one, so that processes and mounts are what is looked at.
 */
export function leftovers({ folder, sockets, processes, ports }: Footprint): string[] {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const { path, running } = stateFolder(folder);
  return [
    ...stillRunning(processes),
    ...pids.filter((pid) => commandOf(pid).includes(path)).map((pid) => `process ${commandOf(pid)}`),
    ...read("/proc/mounts")
      .split("\n")
      .filter((line) => line.includes(folder) || line.includes("dhow")),
    ...ports.filter((port) => portOwner(port) !== undefined).map((port) => `port ${port} of ${portOwner(port)}`),
    ...(existsSync(sockets) ? readdirSync(sockets).map((name) => `socket ${name}`) : []),
    ...(existsSync(running) ? [running] : []),
  ];
}

/** Those of the processes that have not ended, a line each. */
export function stillRunning(processes: Footprint["processes"]): string[] {
  return [...processes].filter(([pid, start]) => startOf(pid) === start).map(([pid]) => `process ${commandOf(pid)}`);
}

/** Groups that a container was in, by the tree of the memory controller. */
export function controlGroups({ processes }: Footprint): string[] {
  const groups = [...processes.keys()].flatMap((pid) =>
    read(`/proc/${pid}/cgroup`)
      .split("\n")
      .map((line) => /^\d+:[\w,]*:(.*\/dhow-\w+)/.exec(line)?.[1]),
  );
  return [...new Set(groups.filter((group) => group !== undefined))];
}

export function groupsLeft(groups: readonly string[]): string[] {
  const roots = read("/proc/mounts")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type?.startsWith("cgroup"));
  return roots.flatMap(([, root = ""]) => groups.map((group) => join(root, group))).filter((path) => existsSync(path));
}

export function treeOf(pid: number): number[] {
  const children = listed(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" "),
  );
  return [pid, ...children.filter(Boolean).map(Number).flatMap(treeOf)];
}

/** Ticks since the machine's start; undefined when it has ended, or waits only for being asked after. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

export function commandOf(pid: number): string {
  return `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
