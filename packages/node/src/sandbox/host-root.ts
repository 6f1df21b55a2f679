import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { Base } from "./base.ts";
import { etcFiles } from "./etc-files.ts";
import type { FstabEntry } from "./fstab.ts";
import { type Bottom, inRoot, makePoint, type MountPointMaker, type RootRequest } from "./mount-points.ts";

const plainFolders = [
  "proc",
  "sys",
  "dev",
  "tmp",
  "run",
  "var/lib",
  "var/log",
  "var/cache",
  "home",
  "root",
  "opt",
  "srv",
  "mnt",
];

/** The host's programs and libraries, read-only, under a root that is otherwise the container's own. */
export function hostRoot({ folder, base, config, pod }: RootRequest, root: string): Bottom {
  for (const name of [...plainFolders, ...base.directories, "etc"]) mkdirSync(join(root, name), { recursive: true });
  for (const { name, to } of base.links) symlinkSync(to, join(root, name));
  // Relative: what is mounted below must land in the container, not in the world.
  symlinkSync("../run", join(root, "var/run"));
  symlinkSync("../tmp", join(root, "var/tmp"));
  const etc = join(folder, "etc");
  mkdirSync(etc);
  for (const [name, text] of etcFiles(pod, config)) writeFileSync(join(etc, name), text);
  mkdirSync(join(root, inRoot(config.workingDirectory)), { recursive: true });
  /** Host folders in which a mount point is missing: laid under a layer of the container's own that has it. */
  const extended = new Map<string, string>();

  const makeInRoot: MountPointMaker = (path, kind) => {
    const [first = "", ...rest] = followLinks(path, base).split("/").filter(Boolean);
    if (first === "etc") return makePointOver(["/etc"], etc, rest.join("/"), kind);
    if (!base.directories.includes(first)) return makePoint(join(root, first, ...rest), kind);
    if (statSync(join("/", first, ...rest), { throwIfNoEntry: false }) !== undefined) return;
    const layer = extended.get(first) ?? join(folder, "layer", first);
    extended.set(first, layer);
    makePoint(join(layer, ...rest), kind);
  };
  return {
    makePoint: makeInRoot,
    entries: () => [
      bindRoot(root, config.readOnlyRoot),
      ...base.directories.map((name): FstabEntry => {
        const source = join(base.folder, name);
        const layer = extended.get(name);
        if (layer !== undefined) return overlay([layer, source], join(root, name));
        return { source, target: join(root, name), type: "none", options: ["rbind"] };
      }),
      overlay([etc, ...base.etcLayers], join(root, "etc")),
    ],
  };
}

function makePointOver(lower: readonly string[], layer: string, path: string, kind: "file" | "folder"): void {
  if (lower.some((folder) => statSync(join(folder, path), { throwIfNoEntry: false }) !== undefined)) return;
  makePoint(join(layer, path), kind);
}

/** `/lib/x` → `/usr/lib/x` where the host's own root has such a link. */
function followLinks(path: string, base: Base): string {
  const [first, ...rest] = path.split("/").filter(Boolean);
  const link = base.links.find(({ name }) => name === first);
  return link ? posix.join("/", link.to, ...rest) : path;
}

/** pivot_root wants a mount; read-only needs one of its own to be remounted. */
function bindRoot(root: string, readOnly: boolean): FstabEntry {
  return { source: root, target: root, type: "none", options: readOnly ? ["bind", "ro"] : ["bind"] };
}

/** Read-only layers, uppermost first. */
function overlay(layers: readonly string[], target: string): FstabEntry {
  return { source: "overlay", target, type: "overlay", options: [`lowerdir=${layers.join(":")}`, "nodev"] };
}
