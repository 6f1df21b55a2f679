import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where the agent's Node lies in a pod; a folder that no host root has. */
export const nodeFolder = "/opt/dhow/bin";
export const nodeProgram = `${nodeFolder}/node`;

/** The PATH of every program that the node starts on the host's root. */
export const podPath = `${nodeFolder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/** Who runs what its image does not say: an ordinary user. */
export const ordinaryUser = 1000;

/** The Node that runs this process, for pods. */
export const nodeMount = { source: process.execPath, target: nodeProgram, readOnly: true } as const;

/** A program among those that a pod sees on the host's root: not what lies in somebody's home. */
export function findHostProgram(name: string): string | undefined {
  const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return folders.map((folder) => join(folder, name)).find(executable);
}

/** A program on the agent's own PATH. */
export function findOnPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
