import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Compares text with a committed file. `UPDATE_GOLDEN=1` writes the file instead, for the diff to be read and committed.
 */
export function golden(file: string, actual: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  assert.equal(actual, readFileSync(file, "utf8"), `${file} differs; UPDATE_GOLDEN=1 writes it anew`);
}
