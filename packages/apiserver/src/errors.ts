import { dirname, join } from "node:path";
import { DhowError } from "@dhow/base";

/** The store's file cannot be read whole. Nothing is dropped silently: whoever owns it decides. */
export function storeDamaged(file: string, finding: string): DhowError {
  return new DhowError({
    code: "APISERVER_STORE_DAMAGED",
    message: `The cluster's store is damaged: ${finding}.`,
    place: { file },
    instead:
      "Restore the file from a copy, or start with a new cluster (--reset), which forgets everything in this one.",
  });
}

/** The store ends before what it has acknowledged. It is left as it is until its owner has decided. */
export function storeCutShort(file: string, found: number, acknowledged: number, mark: string): DhowError {
  return new DhowError({
    code: "APISERVER_STORE_CUT_SHORT",
    message: `The end of the cluster's store cannot be read: it goes up to change ${found}, and ${acknowledged} were acknowledged. All that was stored up to there is whole.`,
    place: { file },
    instead: `Restore the folder from a copy; or go on without the last ${acknowledged - found}: mv '${mark}' '${join(dirname(mark), "accepted-loss")}'`,
  });
}

/** Nothing of the write has happened; it may be sent again when there is space. */
export function storeFull(file: string, finding: string): DhowError {
  return new DhowError({
    code: "APISERVER_STORE_FULL",
    message: `The cluster's store cannot be written, so nothing is changed: ${finding} (${file}). Free some space there; reading goes on.`,
    place: { file },
    instead: "Free some space on the disk of that file.",
  });
}

export function storeInUse(file: string): DhowError {
  return new DhowError({
    code: "APISERVER_STORE_IN_USE",
    message: "Another process holds the cluster's store.",
    place: { file },
    instead: "Stop the cluster that runs in this folder first.",
  });
}

export function storeOfAnotherFormat(file: string, found: number, expected: number): DhowError {
  return new DhowError({
    code: "APISERVER_STORE_FORMAT",
    message: `The cluster's store has format ${found}; this version reads format ${expected}.`,
    place: { file },
    instead: "Use the version of Dhow that wrote it, or start with a new cluster (--reset).",
  });
}
