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
