import { openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../cache.ts";

/** The arguments of a Node process that runs a file beside this one with a configuration. */
export function nodeWords(file: string, config: object): string[] {
  return [
    "--disable-warning=ExperimentalWarning",
    // Small young generations keep an idle process small; what is collected more often is little.
    "--max-semi-space-size=2",
    fileURLToPath(new URL(file, import.meta.url)),
    JSON.stringify(config),
  ];
}

/** Compiled code is kept between starts: without it, reading a few hundred files takes longer than everything else. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: join(cacheFolder(), "compiled") };
}

/** What a process of the cluster says; what is beyond this size (bytes) when it starts is put aside, in place of what was put aside before. */
const logSize = 10 << 20;

export function openLog(folder: string, name: string): number {
  const path = join(folder, name);
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > logSize) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
}
