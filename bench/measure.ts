import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc/<pid>/stat; 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Milliseconds until `attempt` succeeds; throws after `timeout`. */
export async function timeUntil(attempt: () => Promise<boolean>, timeout = 60_000): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < timeout) {
    if (await attempt().catch(() => false)) return performance.now() - start;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${timeout} ms`);
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return [
          { pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ") },
        ];
      } catch {
        return [];
      }
    });
}

/** The processes below `root` (itself left out) whose command matches. */
export function descendants(root: number, command = /./): number[] {
  const all = processes();
  const found: Process[] = [];
  const visit = (pid: number): void => {
    for (const child of all.filter((each) => each.parent === pid)) {
      found.push(child);
      visit(child.pid);
    }
  };
  visit(root);
  return found.filter((each) => command.test(each.command)).map((each) => each.pid);
}

/** Proportional resident memory of processes in megabytes (proc(5), smaps_rollup): what they share counts once. */
export function residentMegabytes(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024;
}

/** Processor time that a process has used so far, in user and system mode. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** How much of one core processes use while nothing happens, in per cent, over `seconds`. */
export async function idlePercent(pids: readonly number[], seconds: number): Promise<number> {
  const total = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = total();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return ((total() - before) / seconds) * 100;
}
