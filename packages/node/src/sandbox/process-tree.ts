import { readdirSync, readFileSync } from "node:fs";

/** A file under /proc; empty when its process has ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

export function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) => readProc(pid, `task/${thread}/children`).split(" ").filter(Boolean).map(Number));
}

/** The first child's first child and so on; fewer levels down where there are not as many yet. */
export function descendant(pid: number, levels: number): number {
  const child = levels > 0 ? childrenOf(pid)[0] : undefined;
  return child === undefined ? pid : descendant(child, levels - 1);
}

/** A process and all that descend from it. Orphans inside a container become its first process' children, so none is missed. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** The process below `pid` that is number 1 in a process namespace of its own. */
export function firstOfNamespace(pid: number): number | undefined {
  const numbers = /^NSpid:\t(.*)$/m.exec(readProc(pid, "status"))?.[1]?.split("\t") ?? [];
  if (numbers.length > 1 && numbers.at(-1) === "1") return pid;
  return childrenOf(pid)
    .map(firstOfNamespace)
    .find((found) => found !== undefined);
}

/** Whether the process has a handler of its own for the signal, by number. */
export function catchesSignal(pid: number, signal: number): boolean {
  const mask = /^SigCgt:\t([0-9a-f]+)$/m.exec(readProc(pid, "status"))?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

const nanosecondsPerTick = 10_000_000;

/** Processor time of a process and of its children that have ended (proc(5), stat: utime, stime, cutime, cstime). */
export function cpuNanosecondsOf(pid: number): number {
  const stat = readProc(pid, "stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
  return ticks * nanosecondsPerTick;
}

/** Memory of a process that cannot be dropped, its share of what it shares with others. */
export function anonymousBytesOf(pid: number): number {
  const rollup = readProc(pid, "smaps_rollup");
  const parts = [...rollup.matchAll(/^Pss_(?:Anon|Shmem): *(\d+) kB$/gm)];
  if (parts.length > 0) return parts.reduce((sum, [, kibibytes]) => sum + Number(kibibytes) * 1024, 0);
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readProc(pid, "status"))?.[1] ?? 0) * 1024;
}

/** How long the kernel may take to end what was killed (milliseconds). */
const endingTime = 2000;

/**
 * Ends the first process of a namespace, and all in it with that, where unshare was killed before it: the signal that --kill-child asks for
 * is forgotten when the child changes its user (prctl(2), PR_SET_PDEATHSIG). Resolves when it is gone.
 */
export async function killNamespace(first: number): Promise<void> {
  for (const end = Date.now() + endingTime; firstOfNamespace(first) === first && Date.now() < end;) {
    sendSignal(first, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
