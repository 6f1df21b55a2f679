import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Replaces a file whole, so that a reader sees the old or the new text, and a full disk leaves the old. Where the text is there already nothing is
 * written: so what has run before starts again on a disk without space.
 */
export function writeIfOther(path: string, text: string, mode: number): void {
  if (read(path) === text) return;
  try {
    writeFileSync(`${path}.new`, text, { mode, flush: true });
    renameSync(`${path}.new`, path);
  } catch (error) {
    rmSync(`${path}.new`, { force: true });
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
