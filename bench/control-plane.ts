import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "@dhow/cluster";

const main = fileURLToPath(new URL("../packages/cluster/src/control-plane/main.ts", import.meta.url));

/** Milliseconds from starting the control plane's process until its API answers; the folder is empty at the first start of each. */
export async function controlPlaneReady(starts: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "dhow-bench-"));
  const figures: number[] = [];
  try {
    for (let start = 0; start < starts; start++) figures.push(await once(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

async function once(folder: string): Promise<number> {
  const begin = performance.now();
  const config = JSON.stringify({ folder, port: 0, name: "bench", namespace: "default" });
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, config], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(cacheFolder(), "compiled") },
  });
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", () => reject(new Error("the control plane ended")));
  });
  const elapsed = performance.now() - begin;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
  return elapsed;
}
