import { lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { podFiles } from "./etc-files.ts";
import { type Bottom, makePoint, type RootRequest } from "./mount-points.ts";
import { toolFolder } from "./tools.ts";

/** A root made of an image's layers, lowest first, with the container's own scratch on top. */
export function layerRoot(request: RootRequest, root: string, layers: readonly string[]): Bottom {
  const { folder, config, pod, userNamespace } = request;
  const upper = join(folder, "upper");
  const work = join(folder, "work");
  for (const path of [upper, work]) mkdirSync(path);
  // Options of a mount fit in one page of memory: short names for the layers' folders, without characters that overlayfs gives a meaning.
  const names = layers.map((layer, index) => {
    const name = join(folder, `l${index}`);
    symlinkSync(layer, name);
    return name;
  });
  const searched = [upper, ...layers.toReversed()];
  const place = (path: string) => join(upper, resolveInLayers(searched, path));
  for (const name of ["/proc", "/sys", "/dev", "/tmp", "/etc", `/${toolFolder}`, config.workingDirectory]) {
    makePoint(place(name), "folder");
  }
  for (const [name, text] of podFiles(pod)) writeFileSync(place(`/etc/${name}`), text);
  const options = [`lowerdir=${names.toReversed().join(":")}`, `upperdir=${upper}`, `workdir=${work}`];
  if (userNamespace) options.push("userxattr");
  options.push("nodev");
  if (config.readOnlyRoot) options.push("ro");
  return {
    makePoint: (path, kind) => makePoint(place(path), kind),
    entries: () => [
      { source: "overlay", target: root, type: "overlay", options },
      { source: request.base.tools, target: join(root, toolFolder), type: "none", options: ["rbind", "ro"] },
    ],
  };
}

/** Where a path leads when the links on the way are followed within the layers, uppermost first. */
export function resolveInLayers(layers: readonly string[], path: string, hops = 0): string {
  if (hops > 40) throw new Error(`${path}: too many links`);
  const parts = posix.normalize(path).split("/").filter(Boolean);
  let resolved = "/";
  for (const [index, part] of parts.entries()) {
    const next = posix.join(resolved, part);
    const link = linkIn(layers, next);
    if (link !== undefined) {
      const target = posix.resolve(resolved, link);
      return resolveInLayers(layers, posix.join(target, ...parts.slice(index + 1)), hops + 1);
    }
    resolved = next;
  }
  return resolved;
}

function linkIn(layers: readonly string[], path: string): string | undefined {
  for (const layer of layers) {
    const status = lstatSync(join(layer, path), { throwIfNoEntry: false });
    if (status !== undefined) return status.isSymbolicLink() ? readlinkSync(join(layer, path)) : undefined;
  }
  return undefined;
}
