import { mkdirSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** What may be lost: XDG_CACHE_HOME, else ~/.cache, else, for users without a home, the temporary folder. */
export function cacheFolder(): string {
  const candidates = [
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "dhow"),
    join(tmpdir(), `dhow-${userInfo().uid}`, "cache"),
  ];
  for (const path of candidates) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return path;
    } catch {
      // Not writable: the next one.
    }
  }
  return tmpdir();
}
