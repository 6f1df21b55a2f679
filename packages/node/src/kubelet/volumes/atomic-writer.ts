import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

export interface PayloadFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** Relative path, with slashes, to file. */
export type Payload = ReadonlyMap<string, PayloadFile>;

const dataLink = "..data";

/**
 * Writes files so that a reader sees all of the old ones or all of the new: they go into a fresh folder, and one rename of the symbolic link
 * `..data` makes the change; what a person sees are links through `..data` (pkg/volume/util/atomic_writer.go). Says whether anything changed.
 */
export function writeAtomically(
  target: string,
  payload: Payload,
  prepare: (folder: string) => void = () => undefined,
): boolean {
  mkdirSync(target, { recursive: true });
  const old = presentFolder(target);
  if (old && sameContent(join(target, old), payload)) return false;
  const folder = mkdtempSync(join(target, `..${new Date().toISOString().replaceAll(/[-:]/g, "_").slice(0, 19)}.`));
  try {
    chmodSync(folder, 0o755);
    writeFiles(folder, payload);
    prepare(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const fresh = join(target, "..data_tmp");
  rmSync(fresh, { force: true });
  symlinkSync(folder.slice(target.length + 1), fresh);
  renameSync(fresh, join(target, dataLink));
  linkVisible(target, payload);
  if (old) rmSync(join(target, old), { recursive: true, force: true });
  return true;
}

function writeFiles(folder: string, payload: Payload): void {
  for (const [path, file] of payload) {
    const whole = join(folder, path);
    mkdirSync(dirname(whole), { recursive: true, mode: 0o755 });
    writeFileSync(whole, file.data, { mode: file.mode });
    chmodSync(whole, file.mode);
  }
}

function presentFolder(target: string): string | undefined {
  try {
    return readlinkSync(join(target, dataLink));
  } catch {
    return undefined;
  }
}

function linkVisible(target: string, payload: Payload): void {
  const names = new Set([...payload.keys()].map((path) => path.split("/")[0] ?? path));
  for (const name of names) {
    if (!lstatSync(join(target, name), { throwIfNoEntry: false }))
      symlinkSync(join(dataLink, name), join(target, name));
  }
  for (const entry of readdirSync(target)) {
    if (!entry.startsWith("..") && !names.has(entry)) rmSync(join(target, entry), { force: true });
  }
}

function sameContent(folder: string, payload: Payload): boolean {
  if (!existsSync(folder)) return false;
  const present = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (present.length !== payload.size) return false;
  for (const [path, file] of payload) {
    const whole = join(folder, path);
    const status = statSync(whole, { throwIfNoEntry: false });
    if (!status?.isFile() || !readFileSync(whole).equals(file.data)) return false;
  }
  return true;
}
