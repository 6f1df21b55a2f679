import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { Base } from "./base.ts";
import type { PodFiles } from "./etc-files.ts";
import { type FstabEntry, lockedFlags } from "./fstab.ts";
import type { ContainerConfig, Mount } from "./sandbox.ts";
import { requireWithin } from "./within.ts";

export interface RootRequest {
  /** The container's scratch folder: what it writes outside its mounts lands here, and goes with it. */
  readonly folder: string;
  readonly base: Base;
  readonly config: ContainerConfig;
  readonly pod: PodFiles;
  readonly userNamespace: boolean;
}

/** Where a mount point is made before anything is mounted, for a path as the container sees it. */
export type MountPointMaker = (path: string, kind: "file" | "folder") => void;

export interface Bottom {
  readonly makePoint: MountPointMaker;
  /** To be asked after all points were made. */
  entries(): readonly FstabEntry[];
}

export interface MountPoint extends FstabEntry {
  /** The folder of the host whose content shows there, where mount points below can be made. */
  readonly content: string | undefined;
  readonly kind: "file" | "folder";
  /** What must be there once it is mounted, where others could have put something else in its place. */
  readonly inode?: string | undefined;
}

/** /tmp, where no volume is mounted there. */
export function temporaryPoint({ folder, config }: RootRequest): MountPoint[] {
  const taken = [...config.mounts, ...config.memoryMounts].some(({ target }) => posix.normalize(target) === "/tmp");
  if (taken) return [];
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  chmodSync(temporary, 0o1777);
  return [{ source: temporary, target: "/tmp", type: "none", options: ["bind"], content: temporary, kind: "folder" }];
}

export function requestedPoints(config: ContainerConfig): MountPoint[] {
  const memory = config.memoryMounts.map(({ target, sizeBytes }): MountPoint => {
    const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
    const options = ["mode=1777", "nosuid", "nodev", ...size];
    return { source: "tmpfs", target: inRoot(target), type: "tmpfs", options, content: undefined, kind: "folder" };
  });
  return [...memory, ...config.mounts.map(bindPoint)];
}

function bindPoint({ inode, source, target, readOnly }: Mount): MountPoint {
  const isFolder = statSync(source).isDirectory();
  // A device that a pod may make is no way to the machine's disks: there is no control group that keeps it from them. Flags that are
  // named replace all that the source's mount has.
  const options = [...new Set(["rbind", "nodev", ...(readOnly ? ["ro"] : []), ...lockedFlags(source)])];
  const kind = isFolder ? "folder" : "file";
  return { source, target: inRoot(target), type: "none", options, content: isFolder ? source : undefined, kind, inode };
}

/** A path as the container sees it; no `..` leads above its root. */
export function inRoot(path: string): string {
  return posix.join("/", path);
}

/** A mount point within another mount is made in that mount's own folder, as container runtimes do; in the root otherwise. */
export function makeMountPoint(earlier: readonly MountPoint[], point: MountPoint, makeInRoot: MountPointMaker): void {
  const target = posix.normalize(point.target);
  const outer = earlier.findLast((other) => target.startsWith(`${posix.normalize(other.target)}/`));
  if (outer === undefined) {
    if (!target.startsWith("/dev/")) makeInRoot(target, point.kind);
    return;
  }
  if (outer.content === undefined) throw new Error(`${target}: nothing can be mounted within a memory-backed folder`);
  const path = join(outer.content, posix.relative(posix.normalize(outer.target), target));
  requireWithin(outer.content, path);
  makePoint(path, point.kind);
}

/** Makes what is not there yet. */
export function makePoint(path: string, kind: "file" | "folder"): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(kind === "folder" ? path : dirname(path), { recursive: true });
  if (kind === "file") writeFileSync(path, "");
}
