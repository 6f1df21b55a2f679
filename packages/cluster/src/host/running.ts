import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { cgroupsOf, removeCgroups } from "@dhow/node/cgroups";
import type { ClusterFolder } from "../folder.ts";
import { writeIfOther } from "../write-if-other.ts";
import type { RefusedPort } from "./doors.ts";

/** What a running cluster says of itself in its folder. */
export interface RunningCluster {
  /** The host's process, and when it started, by which a process that got the same number later is told apart. */
  readonly pid: number;
  readonly processStart: string;
  readonly detached: boolean;
  readonly startedAt: string;
  readonly system: string;
  readonly environment: string;
  readonly namespace: string;
  readonly server: string;
  readonly ingressPort: number;
  readonly httpsPort: number;
  /** Ports of Services that somebody else has. */
  readonly refusedPorts: readonly RefusedPort[];
}

/**
 * The 22nd field of /proc/<pid>/stat (proc(5)): ticks since the machine's start; where there is no /proc, whether the process lives. One that
 * has ended, and that its parent has not asked after yet, does not.
 */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    if (process.platform === "linux") return undefined;
    try {
      process.kill(pid, 0);
      return "alive";
    } catch {
      return undefined;
    }
  }
}

/** The cluster that runs out of this folder now, if any. What a killed one left behind does not count. */
export function runningCluster(folder: ClusterFolder): RunningCluster | undefined {
  if (!existsSync(folder.running)) return undefined;
  const running = JSON.parse(readFileSync(folder.running, "utf8")) as RunningCluster;
  return processStart(running.pid) === running.processStart ? running : undefined;
}

export function sayRunning(folder: ClusterFolder, running: RunningCluster): void {
  writeIfOther(folder.running, JSON.stringify(running, null, 2), 0o600);
}

export function sayStopped(folder: ClusterFolder): void {
  rmSync(folder.running, { force: true });
}

/** How often it is looked whether the kernel is through with a world that it ends, and how long the pause is (milliseconds). */
const looks = { times: 100, pause: 20 };

/**
 * What a host that has just been killed leaves behind, to be removed a moment later. Whoever starts the cluster again meanwhile makes the same
 * anew: that is not touched.
 */
export function leftByHost(folder: ClusterFolder): { remove(): Promise<void> } {
  const groups = cgroupsOf(folder.id);
  const socket = statSync(folder.kubeletSocket, { throwIfNoEntry: false })?.ino;
  return {
    async remove() {
      if (existsSync(folder.running) && !runningCluster(folder)) sayStopped(folder);
      if (socket !== undefined && statSync(folder.kubeletSocket, { throwIfNoEntry: false })?.ino === socket)
        rmSync(folder.kubeletSocket, { force: true });
      for (let look = 0; look < looks.times && !removeCgroups(groups); look++)
        await new Promise((resolve) => setTimeout(resolve, looks.pause));
    },
  };
}
