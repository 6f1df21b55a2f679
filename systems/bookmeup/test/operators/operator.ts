// What an operator has at hand: kubectl, the machine that the pods run on, and a place for new versions.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { BookMeUpCluster } from "../cluster.ts";
import type { Load } from "./load.ts";

const run = promisify(execFile);

export const services = ["auth-service", "logic-service", "db-service"] as const;
export type ServiceName = (typeof services)[number];

/** For `eventually`: how long (milliseconds), and how often; each look is a program that is started. */
export const patience = [60_000, 300] as const;

/** What the scenarios share. */
export interface Stage {
  readonly cluster: BookMeUpCluster;
  readonly load: Load;
}

/** Waits until a Deployment has all its pods, and those of no other version. */
export async function complete(cluster: BookMeUpCluster, ...names: string[]): Promise<void> {
  await Promise.all(names.map((name) => cluster.kubectl("rollout", "status", `deployment/${name}`, "--timeout=60s")));
}

/** The pods of a Deployment that are not on their way out. */
export async function podsOf(cluster: BookMeUpCluster, name: string): Promise<string[]> {
  const pods = await cluster.objects("pods", "-l", `app=${name}`);
  return pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
}

/** Waits until so many pods of a Deployment are there, those on their way out included. */
export async function pods(cluster: BookMeUpCluster, name: string, count: number): Promise<void> {
  for (let turn = 0; (await cluster.objects("pods", "-l", `app=${name}`)).length !== count; turn += 1) {
    if (turn > 100) throw new Error(`${name} does not come to ${count} pods`);
    await delay(200);
  }
}

/** Ends a pod's program with SIGKILL as the machine's administrator would: nothing in the pod may send that to its first process. */
export function killProgram(pod: string, words: string): number {
  let killed = 0;
  for (const process of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const isOfPod = readFileSync(`/proc/${process}/environ`, "utf8").split("\0").includes(`HOSTNAME=${pod}`);
      const command = readFileSync(`/proc/${process}/cmdline`, "utf8").replaceAll("\0", " ");
      if (!isOfPod || !command.startsWith(words)) continue;
      globalThis.process.kill(Number(process), "SIGKILL");
      killed += 1;
    } catch {
      // It has ended, or is somebody else's.
    }
  }
  return killed;
}

/** Brings a changed copy of a service's source to the nodes as a version of its image; gives the reference. */
export function release(
  { folder }: BookMeUpCluster,
  service: ServiceName,
  version: string,
  changes: Record<string, (text: string) => string> = {},
): string {
  const source = join(folder, "releases", version, service);
  cpSync(join(folder, service), source, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const path = join(source, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, change(readFileSync(path, { encoding: "utf8", flag: "a+" })));
  }
  const reference = `bookmeup/${service}:${version}`;
  const table = join(folder, ".dhow/images.json");
  const { images } = JSON.parse(readFileSync(table, "utf8"));
  writeFileSync(`${table}.new`, JSON.stringify({ images: { ...images, [reference]: { source } } }));
  renameSync(`${table}.new`, table);
  return reference;
}

/** Runs the commands that README.md has under a heading, as they stand there. */
export async function followReadme(
  cluster: BookMeUpCluster,
  heading: string,
  env: Record<string, string> = {},
): Promise<string> {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, commands] = new RegExp(`### ${heading}\n[^#]*?\`\`\`sh\n([^]*?)\`\`\``).exec(readme) ?? [];
  if (!commands) throw new Error(`README.md says nothing of: ${heading}`);
  const options = { env: { ...process.env, KUBECONFIG: cluster.kubeconfig, ...env }, timeout: 120_000 };
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", commands], options);
  return stdout;
}
