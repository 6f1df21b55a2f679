import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { foldersDigest } from "./digest.ts";
import { imageErrors } from "./errors.ts";
import type { RunnableImage } from "./images.ts";
import { nodeMount, nodeProgram, ordinaryUser, podPath } from "./programs.ts";
import type { SourceEntry } from "./table.ts";
import { findWorkspace, readManifest, workspaceView } from "./workspace.ts";

/** A service's source folder as an image: TypeScript is run as it is by the agent's Node, anything else by its `run` line. */
export function sourceImage(reference: string, entry: SourceEntry): RunnableImage {
  if (!statSync(entry.source, { throwIfNoEntry: false })?.isDirectory()) {
    throw imageErrors.sourceMissing(reference, entry.source);
  }
  const source = realpathSync(entry.source);
  const workspace = entry.workspace ? realpathSync(entry.workspace) : findWorkspace(source);
  const view = workspaceView(source, workspace);
  const start = entry.run
    ? { entrypoint: ["/bin/sh", "-c", `exec ${entry.run}`], command: [] }
    : { entrypoint: [nodeProgram], command: [entryFile(reference, source)] };
  return {
    ...start,
    root: "host",
    mounts: [...view.mounts, nodeMount],
    env: { PATH: podPath, HOME: "/tmp", ...entry.env },
    workingDirectory: view.workingDirectory,
    user: entry.user ?? ordinaryUser,
    group: entry.user ?? ordinaryUser,
    digest: foldersDigest(view.folders, entry.run ?? ""),
  };
}

/** What is started: package.json's `main`, else src/main.ts, else main.ts. */
export function entryFile(reference: string, source: string): string {
  const main = readManifest(source)?.main;
  const found = [main, "src/main.ts", "main.ts"].find((file) => file !== undefined && existsSync(join(source, file)));
  if (found === undefined) throw imageErrors.entryMissing(reference, source);
  return found;
}
