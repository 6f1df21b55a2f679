import { mkdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { type FstabEntry } from "./fstab.ts";
import { hostRoot } from "./host-root.ts";
import { layerRoot } from "./layer-root.ts";
import { makeMountPoint, type RootRequest, requestedPoints, temporaryPoint } from "./mount-points.ts";

/** Lays out a container's root in its scratch folder; the mounts that complete it are to be made in the container's own mount namespace, in order. */
export function layOutRoot(request: RootRequest): RootPlan {
  const { folder, config, base, pod } = request;
  const root = join(folder, "root");
  mkdirSync(root, { recursive: true });
  const bottom = config.root === "host" ? hostRoot(request, root) : layerRoot(request, root, config.root);
  const points = [...temporaryPoint(request), ...requestedPoints(config)];
  points.sort((a, b) => depth(a.target) - depth(b.target));
  for (const [index, point] of points.entries()) {
    makeMountPoint(points.slice(0, index), point, bottom.makePoint);
  }
  const system = [
    { source: "proc", target: "/proc", type: "proc", options: ["nosuid", "nodev", "noexec"] },
    { source: base.dev, target: "/dev", type: "none", options: ["rbind", "ro"] },
    { source: "devpts", target: "/dev/pts", type: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"] },
    { source: pod.shm, target: "/dev/shm", type: "none", options: ["bind", "nosuid", "nodev", "noexec"] },
    ...(request.userNamespace ? [] : kernelMasks),
  ];
  const within = (entry: FstabEntry) => ({ ...entry, target: join(root, entry.target) });
  const inodes = points.flatMap(({ inode, target }) => (inode === undefined ? [] : [`${inode} ${join(root, target)}`]));
  return { mounts: [...bottom.entries(), ...system.map(within), ...points.map(within)], inodes };
}

export interface RootPlan {
  readonly mounts: readonly FstabEntry[];
  /** Lines of device, inode and path: what must lie there once everything is mounted. */
  readonly inodes: readonly string[];
}

function depth(path: string): number {
  return posix.normalize(path).split("/").filter(Boolean).length;
}

/** Root's /proc lets root of a container change the machine even without capabilities: what runc makes read-only or hides. */
const kernelMasks: readonly FstabEntry[] = [
  ...["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"].map((path) => ({
    source: path,
    target: path,
    type: "none",
    options: ["bind", "ro", "nosuid", "nodev", "noexec"],
  })),
  ...[
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/timer_list",
    "/proc/timer_stats",
  ].map((path) => ({ source: "/dev/null", target: path, type: "none", options: ["bind"] })),
  ...["/proc/acpi", "/proc/asound", "/proc/scsi"].map((path) => ({
    source: "tmpfs",
    target: path,
    type: "tmpfs",
    options: ["ro", "size=0"],
  })),
].filter(({ target }) => statSync(target, { throwIfNoEntry: false }) !== undefined);
