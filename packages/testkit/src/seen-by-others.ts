import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The command lines of all processes of this machine, as any of its users can read them in `/proc`: words, each ended by a NUL. */
export function commandLines(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return [];
    }
  });
}

/** Files that a user who is neither the owner nor in its group finds below these folders, and can read. */
export function filesForOthers(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (!found?.isDirectory() || (found.mode & 0o004) === 0) return [];
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesForOthers([path]);
      return entry.isFile() && (lstatSync(path).mode & 0o004) !== 0 ? [path] : [];
    });
  });
}
