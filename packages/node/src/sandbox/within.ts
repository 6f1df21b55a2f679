import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, sep } from "node:path";

/**
 * Throws where the way to `path`, as far as it exists, leads out of `folder` by a symbolic link. What pods may write to can have links
 * in it that lead to the machine's own files; nothing may be made or mounted there on their behalf.
 */
export function requireWithin(folder: string, path: string): void {
  let existing = path;
  while (lstatSync(existing, { throwIfNoEntry: false }) === undefined && existing !== dirname(existing))
    existing = dirname(existing);
  const [real, root] = [realOf(existing), realpathSync(folder)];
  if (real !== root && !real.startsWith(root + sep)) throw new Error(`${path} leads out of ${folder}`);
}

/** Throws its own words for a link that leads nowhere, along which something would be made. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw new Error(`${path} is a symbolic link that leads nowhere`);
  }
}

/**
 * Device and inode of what lies at `path` now, which must lie within `folder`: `stat -c %d:%i` says whether it is still the same thing
 * that was mounted, whatever was put in its place meanwhile (CVE-2021-25741).
 */
export function inodeWithin(folder: string, path: string): string {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const real = readlinkSync(`/proc/self/fd/${handle}`);
    const root = realpathSync(folder);
    if (real !== root && !real.startsWith(root + sep)) throw new Error(`${path} leads out of ${folder}`);
    const { dev, ino } = fstatSync(handle, { bigint: true });
    return `${dev}:${ino}`;
  } finally {
    closeSync(handle);
  }
}
