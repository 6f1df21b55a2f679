import { createHash, type Hash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Never part of a source: installed packages, Dhow's and Git's own folders. */
const leftOut = new Set(["node_modules", ".dhow", ".git"]);

/**
 * A digest that changes with the files in the folders: made of names, sizes and times of change, not of contents, so that it costs a
 * millisecond or two.
 */
export function foldersDigest(folders: readonly string[], ...more: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of more) hash.update(`${text}\0`);
  for (const folder of folders) addFolder(hash, folder, "");
  return `sha256:${hash.digest("hex")}`;
}

function addFolder(hash: Hash, root: string, below: string): void {
  const entries = readdirSync(join(root, below), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (leftOut.has(entry.name)) continue;
    const path = join(below, entry.name);
    if (entry.isDirectory()) addFolder(hash, root, path);
    else {
      const status = lstatSync(join(root, path), { throwIfNoEntry: false });
      if (status) hash.update(`${path}\0${status.size}\0${status.mtimeMs}\0`);
    }
  }
}
