import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { foldersDigest } from "./digest.ts";
import { imageErrors } from "./errors.ts";
import type { Mount } from "../sandbox/sandbox.ts";
import type { RunnableImage } from "./images.ts";
import { nodeMount, nodeProgram, ordinaryUser, podPath } from "./programs.ts";
import type { SourceEntry } from "./table.ts";
import { findWorkspace, readManifest, workspaceView } from "./workspace.ts";

/** A service's source folder as an image: TypeScript is run as it is by the agent's Node, anything else by its `run` line. */
export function sourceImage(reference: string, entry: SourceEntry, cache: string): RunnableImage {
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
    mounts: [...view.mounts, nodeMount, compiledCode(reference, cache)],
    env: { PATH: podPath, HOME: "/tmp", NODE_COMPILE_CACHE: compiledTarget, ...entry.env },
    workingDirectory: view.workingDirectory,
    user: entry.user ?? ordinaryUser,
    group: entry.user ?? ordinaryUser,
    digest: foldersDigest(view.folders, entry.run ?? ""),
  };
}

const compiledTarget = "/var/cache/node";

/**
 * Where Node keeps what it compiled: half of the processor time of a start, and 20 MB of each process. A folder an image, so that what
 * one service could write there, no other runs.
 */
function compiledCode(reference: string, cache: string): Mount {
  const source = join(cache, "compiled", encodeURIComponent(reference));
  mkdirSync(source, { recursive: true });
  chmodSync(source, 0o777);
  return { source, target: compiledTarget, readOnly: false };
}

/** What is started: package.json's `main`, else src/main.ts, else main.ts. */
export function entryFile(reference: string, source: string): string {
  const main = readManifest(source)?.main;
  const found = [main, "src/main.ts", "main.ts"].find((file) => file !== undefined && existsSync(join(source, file)));
  if (found === undefined) throw imageErrors.entryMissing(reference, source);
  return found;
}
