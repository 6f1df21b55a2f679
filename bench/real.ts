import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realKubernetes } from "@dhow/testkit";
import { idlePercent, residentMegabytes } from "./measure.ts";

export interface RealFigures {
  readonly startMilliseconds: number;
  readonly idleMegabytes: number;
  readonly idlePercent: number;
}

/** The same of the real control plane that may be on this machine; the reason where it is not. */
export async function realFigures(port: number, idleSeconds: number): Promise<RealFigures | string> {
  const { folder: real, skip } = realKubernetes();
  if (real === undefined) return skip;
  const folder = mkdtempSync(join(tmpdir(), "dhow-bench-real-"));
  try {
    // The first start unpacks programs: it is not what is measured.
    run(join(real, "up"), folder, "--port", String(port));
    run(join(real, "down"), folder);
    const begin = performance.now();
    run(join(real, "up"), folder, "--port", String(port));
    const startMilliseconds = performance.now() - begin;
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const pids = readdirSync(join(folder, "pids")).map((name) =>
      Number(readFileSync(join(folder, "pids", name), "utf8")),
    );
    return {
      startMilliseconds,
      idleMegabytes: residentMegabytes(pids),
      idlePercent: await idlePercent(pids, idleSeconds),
    };
  } finally {
    spawnSync(join(real, "down"), [folder, "--forget"], { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(...words: string[]): void {
  const [program = "", ...rest] = words;
  const result = spawnSync(program, rest, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${words.join(" ")}: ${result.stderr}`);
}
