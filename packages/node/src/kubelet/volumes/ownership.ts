import { chmodSync, chownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Gives a volume to the pod's fsGroup: group ownership, group permissions, and new files inherit the group (pkg/volume/volume_linux.go).
 * In a user namespace that maps a single id there is no other group to give to, and none is needed: the pod's user is the owner.
 */
export function giveToGroup(path: string, group: number | undefined, readOnly: boolean): void {
  if (group === undefined) return;
  try {
    walk(path, group, readOnly ? 0o440 : 0o660);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EINVAL" && code !== "EPERM") throw error;
  }
}

function walk(path: string, group: number, bits: number): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return;
  const directory = status.isDirectory();
  chownSync(path, status.uid, group);
  chmodSync(path, (status.mode & 0o7777) | bits | (directory ? 0o2110 : 0));
  if (directory) for (const entry of readdirSync(path)) walk(join(path, entry), group, bits);
}
