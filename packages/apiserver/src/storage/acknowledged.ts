import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** The number of the last change that was acknowledged, in a file of eight bytes beside the store. */
export interface Acknowledged {
  /** What the file says; 0 where there is none. */
  readonly revision: number;
  readonly file: string;
  /**
   * Notes a revision that the store has synced. Not synced itself: it survives a kill, and after a power cut an older number is found, which
   * is true as well. Where it cannot be written, the older number stays.
   */
  note(revision: number): void;
  close(): void;
}

/**
 * SQLite leaves out what is not whole at the end of its log, for it cannot know whether that was ever acknowledged. This tells it: a store that
 * ends before the number in this file has lost something.
 *
 * Whoever puts up with the loss renames the file to `accepted-loss`: the store goes on counting after that number, so that none is given twice
 * (etcd's `snapshot restore --bump-revision`).
 */
export function openAcknowledged(folder: string): Acknowledged {
  const file = join(folder, "acknowledged");
  const revision = read(file);
  let descriptor: number | undefined;
  const bytes = Buffer.alloc(8);
  return {
    file,
    revision,
    note(acknowledged) {
      bytes.writeBigUInt64BE(BigInt(acknowledged));
      try {
        descriptor ??= openSync(file, existsSync(file) ? "r+" : "w", 0o600);
        writeSync(descriptor, bytes, 0, bytes.length, 0);
      } catch {
        // A full disk: less is known, nothing is wrong.
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** The number after which a store goes on whose loss somebody has accepted; 0 where nobody has. Asked once. */
export function acceptedLoss(folder: string): number {
  return read(join(folder, "accepted-loss"));
}

export function forgetAcceptedLoss(folder: string): void {
  rmSync(join(folder, "accepted-loss"), { force: true });
}

function read(file: string): number {
  try {
    const bytes = readFileSync(file);
    return bytes.length === 8 ? Number(bytes.readBigUInt64BE()) : 0;
  } catch {
    return 0;
  }
}
