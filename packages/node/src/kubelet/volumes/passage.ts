import { chmodSync, mkdirSync } from "node:fs";

/**
 * Makes a folder through which pods' users pass to their volumes, where pods are plain processes, and that nobody but the owner may list:
 * below it are volumes that every user may write to, under names that others on the machine cannot guess.
 */
export function makePassage(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o711);
}
