import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { type FstabEntry, formatFstab, hasMountsBelow, lockedFlags } from "./fstab.ts";
import { run } from "./programs.ts";

/** What every container's root has in common, mounted once in the world and bound from there. */
export interface Base {
  /** Read-only folders of the host below `folder`, such as `usr`. */
  readonly directories: readonly string[];
  /** Links of the host's root such as bin → usr/bin. */
  readonly links: readonly { readonly name: string; readonly to: string }[];
  readonly folder: string;
  readonly dev: string;
  /** Programs for roots without any, see tools.ts. */
  readonly tools: string;
  /** The lower layers of a container's /etc, uppermost first. */
  readonly etcLayers: readonly string[];
}

const hostDirectories = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix"];
const devices = ["null", "zero", "full", "random", "urandom", "tty"];

/** Of the host's /etc, what is no pod's business even where the pod's user is the machine's root: this, and what not every user may read. */
const alwaysHidden = ["ssh", "ssl/private", "sudoers.d"];

export async function prepareBase(scratch: string): Promise<Base> {
  const folder = join(scratch, "base");
  const dev = join(scratch, "dev");
  const entries: FstabEntry[] = [];
  const links: { name: string; to: string }[] = [];
  const directories: string[] = [];
  for (const name of hostDirectories) {
    const path = join("/", name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isSymbolicLink()) links.push({ name, to: readlinkSync(path) });
    if (!status?.isDirectory()) continue;
    directories.push(name);
    mkdirSync(join(folder, name), { recursive: true });
    entries.push(readOnlyBind(path, join(folder, name)));
  }
  entries.push(...devEntries(dev));
  const fstab = join(scratch, "base.fstab");
  writeFileSync(fstab, formatFstab(entries));
  await run(["mount", "--no-mtab", "--all", "--fstab", fstab]);
  const etcLayers = [await hidingLayer(scratch), etcLayer(scratch)];
  return { directories, links, folder, dev, tools: join(scratch, "tools"), etcLayers };
}

function readOnlyBind(source: string, target: string): FstabEntry {
  return { source, target, type: "none", options: [...new Set(["rbind", "ro", "nodev", ...lockedFlags(source)])] };
}

/** Device files of the host, bound one by one since an ordinary user cannot make any. */
function devEntries(dev: string): FstabEntry[] {
  for (const name of ["pts", "shm", "mqueue"]) mkdirSync(join(dev, name), { recursive: true });
  const links = { fd: "/proc/self/fd", stdin: "fd/0", stdout: "fd/1", stderr: "fd/2", ptmx: "pts/ptmx" };
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(dev, name));
  // Where Kubernetes mounts the file that a container leaves its last words in.
  writeFileSync(join(dev, "termination-log"), "");
  const present = devices.filter((name) => existsSync(join("/dev", name)));
  for (const name of present) writeFileSync(join(dev, name), "");
  const binds = present.map((name) => ({
    source: join("/dev", name),
    target: join(dev, name),
    type: "none",
    options: ["bind"],
  }));
  return [{ source: dev, target: dev, type: "none", options: ["bind"] }, ...binds];
}

/** Empty files and overlayfs' whiteouts (character devices 0/0) over what is hidden. */
async function hidingLayer(scratch: string): Promise<string> {
  const layer = join(scratch, "hidden");
  mkdirSync(layer);
  const hidden = [...privateParts("/etc"), ...alwaysHidden.map((name) => join("/etc", name))];
  for (const path of new Set(hidden)) {
    const target = join(layer, relative("/etc", path));
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (!status || lstatSync(target, { throwIfNoEntry: false })) continue;
    mkdirSync(dirname(target), { recursive: true });
    if (status.isDirectory()) await run(["mknod", target, "c", "0", "0"]);
    else writeFileSync(target, "");
  }
  return layer;
}

/** Files and folders that not every user may read. */
function privateParts(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return [];
    if ((lstatSync(path).mode & 0o004) === 0) return [path];
    return entry.isDirectory() ? privateParts(path) : [];
  });
}

/** overlayfs refuses a lower layer with mounts below it that are not the world's own, as a Docker container's /etc has: then a copy. */
function etcLayer(scratch: string): string {
  if (!hasMountsBelow("/etc")) return "/etc";
  const copy = join(scratch, "etc");
  cpSync("/etc", copy, { recursive: true, verbatimSymlinks: true, filter: isReadable });
  return copy;
}

function isReadable(path: string): boolean {
  const status = lstatSync(path);
  return status.isSymbolicLink() || (status.isFile() || status.isDirectory() ? (status.mode & 0o004) !== 0 : false);
}
