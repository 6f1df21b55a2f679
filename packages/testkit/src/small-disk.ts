import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own with little space, which `fill` fills to the last byte and `free` empties again. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  fill(): void;
  free(): void;
}

/** Why there can be none, if so: only root mounts. */
export const noSmallDisk = process.getuid?.() === 0 ? false : "only root can mount a small file system";

export function smallDisk(megabytes: number): SmallDisk {
  // Not called after Dhow: tests look for mounts that Dhow has left.
  const path = realpathSync(mkdtempSync(join(tmpdir(), "small-disk-")));
  const options = `size=${megabytes}m,mode=755`;
  const mount = ["-t", "tmpfs", "-o", options, "small-disk", path];
  const { status, stderr } = spawnSync("mount", mount, { encoding: "utf8" });
  if (status !== 0) throw new Error(`cannot mount a small file system: ${stderr}`);
  const ballast = join(path, "ballast");
  return {
    path,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      // What is left by others' files may be less than a block by now.
      writeFileSync(ballast, Buffer.alloc(bavail * bsize), { flag: "a" });
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      spawnSync("umount", ["--lazy", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
