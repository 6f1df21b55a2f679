import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { randomSuffix } from "@dhow/base";
import type { ContainerConfig, ContainerUsage } from "./sandbox.ts";

const prefix = "dhow-";

/** One container's control group. */
export interface Cgroup {
  readonly processFiles: readonly string[];
  usage(): ContainerUsage;
  /** How many of its processes the kernel has killed for want of memory. */
  oomKills(): number;
  remove(): void;
}

/** Makes control groups for containers; undefined where this process may not. */
export interface CgroupMaker {
  create(id: string, limits: ContainerConfig["limits"]): Cgroup;
  close(): void;
}

/** Looks for writable control groups of either version, and clears away what an earlier world of the same owner that was killed has left. */
export function openCgroups(owner: string): CgroupMaker | undefined {
  const lines = cgroupMounts();
  const unified = lines.find(([, , type]) => type === "cgroup2")?.[1];
  const controllers = ["memory", "cpu", "cpuacct"].map((controller) =>
    lines.find(([, , type, options]) => type === "cgroup" && options?.split(",").includes(controller)),
  );
  const legacy = controllers.map((line) => line?.[1]).filter((path) => path !== undefined);
  const name = `${prefix}${owner}-${randomSuffix(8)}`;
  removeCgroups(cgroupsOf(owner));
  try {
    if (legacy.length === 3) return legacyMaker(legacy, name);
    if (unified !== undefined) return unifiedMaker(unified, name);
  } catch {
    // Not writable: limits are watched instead.
  }
  return undefined;
}

/**
 * All pods are one group, whose weight is that of the machine's processors, as the kubelet's kubepods (pkg/kubelet/cm): as one group of the usual weight,
 * beside whatever else runs here, they would get as much together as a single program.
 */
function makeFolders(roots: readonly string[], name: string): readonly string[] {
  return [...new Set(roots)].map((root) => {
    mkdirSync(join(root, name));
    return join(root, name);
  });
}

/** The control groups that worlds of this owner have made. Those of other owners may be empty only because they have just been made. */
export function cgroupsOf(owner: string): string[] {
  return cgroupMounts().flatMap(([, root = ""]) =>
    list(root)
      .filter((name) => name.startsWith(`${prefix}${owner}-`))
      .map((name) => join(root, name)),
  );
}

/** Removes control groups whose world was killed. Says whether all are gone: those in which something still runs cannot be removed. */
export function removeCgroups(groups: readonly string[]): boolean {
  for (const group of groups) removeGroup(group);
  return groups.every((group) => !existsSync(group));
}

function cgroupMounts(): string[][] {
  const lines = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  return lines.filter(([, , type]) => type === "cgroup" || type === "cgroup2");
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function removeGroup(group: string): void {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory()) removeGroup(join(group, entry.name));
    }
    rmdirSync(group);
  } catch {
    // Busy, or gone.
  }
}

function legacyMaker(roots: readonly string[], name: string): CgroupMaker {
  const folders = makeFolders(roots, name);
  const [memoryRoot = "", cpuRoot = "", accountRoot = ""] = roots.map((root) => join(root, name));
  writeFileSync(join(cpuRoot, "cpu.shares"), String(1024 * availableParallelism()));
  return {
    close: () => folders.forEach(removeGroup),
    create(id, limits) {
      const groups = folders.map((folder) => join(folder, id));
      for (const group of groups) mkdirSync(group, { recursive: true });
      const [memory, cpu, account] = [join(memoryRoot, id), join(cpuRoot, id), join(accountRoot, id)];
      if (limits.memoryBytes) writeFileSync(join(memory, "memory.limit_in_bytes"), String(limits.memoryBytes));
      if (limits.cpuMillis)
        writeFileSync(join(cpu, "cpu.cfs_quota_us"), String(Math.max(1000, limits.cpuMillis * 100)));
      return {
        processFiles: groups.map((group) => join(group, "cgroup.procs")),
        usage: () => ({
          cpuNanoseconds: Number(read(account, "cpuacct.usage")),
          workingSetBytes: workingSet(
            read(memory, "memory.usage_in_bytes"),
            read(memory, "memory.stat"),
            "total_inactive_file",
          ),
        }),
        oomKills: () => field(read(memory, "memory.oom_control"), "oom_kill"),
        remove: () => groups.forEach(removeGroup),
      };
    },
  };
}

function unifiedMaker(root: string, name: string): CgroupMaker {
  const available = read(root, "cgroup.controllers").trim().split(" ");
  if (!available.includes("memory") || !available.includes("cpu")) throw new Error("no controllers");
  enableControllers(root);
  const [folder = ""] = makeFolders([root], name);
  enableControllers(folder);
  writeFileSync(join(folder, "cpu.weight"), String(Math.min(10_000, 100 * availableParallelism())));
  return {
    close: () => removeGroup(folder),
    create(id, limits) {
      const group = join(folder, id);
      mkdirSync(group, { recursive: true });
      if (limits.memoryBytes) {
        writeFileSync(join(group, "memory.max"), String(limits.memoryBytes));
        // A process that asks for more than it may have is to be stopped, not paged out.
        tryWrite(join(group, "memory.swap.max"), "0");
      }
      if (limits.cpuMillis) writeFileSync(join(group, "cpu.max"), `${Math.max(1000, limits.cpuMillis * 100)} 100000`);
      return {
        processFiles: [join(group, "cgroup.procs")],
        usage: () => ({
          cpuNanoseconds: field(read(group, "cpu.stat"), "usage_usec") * 1000,
          workingSetBytes: workingSet(read(group, "memory.current"), read(group, "memory.stat"), "inactive_file"),
        }),
        oomKills: () => field(read(group, "memory.events"), "oom_kill"),
        remove: () => removeGroup(group),
      };
    },
  };
}

function enableControllers(group: string): void {
  writeFileSync(join(group, "cgroup.subtree_control"), "+memory +cpu");
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // A kernel without swap accounting has no such file.
  }
}

/** As cAdvisor computes it: what is charged, without file pages that have not been used lately. */
function workingSet(charged: string, statistics: string, inactive: string): number {
  return Math.max(0, Number(charged) - field(statistics, inactive));
}

/** A number from a file of `name value` lines. */
function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function read(group: string, file: string): string {
  try {
    return readFileSync(join(group, file), "utf8");
  } catch {
    return "";
  }
}
