import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cgroupsOf } from "@dhow/node/cgroups";
import { type KubeClient, readText } from "@dhow/kube";
import { stateFolder } from "@dhow/development";
import { eventually } from "@dhow/testkit";
import { commandsOf } from "../fixture.ts";
import { treeOf } from "../footprint.ts";
import { countObjects } from "./heap.ts";
import { type Held, type Role, roles } from "./probe.ts";

/** What a cluster holds at one moment: a name, and how much of it. */
export type Figures = ReadonlyMap<string, number>;

export interface Measured {
  readonly folder: string;
  readonly probes: string;
  readonly client: KubeClient;
  readonly hostPid: number;
}

/** Clock ticks a second in /proc/<pid>/stat; 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100;

/** How long it is watched what a cluster at rest uses of a processor (milliseconds). */
const rest = 5_000;

export async function figures(measured: Measured): Promise<Figures> {
  const pids = processes(measured.hostPid);
  const found = new Map<string, number>();
  for (const [name, value] of await ofProcesses(measured, pids)) found.set(name, value);
  found.set("processes", treeOf(measured.hostPid).length);
  for (const [name, value] of ofKernel(measured, pids.agent)) found.set(name, value);
  for (const [name, value] of ofDisk(measured, pids.agent)) found.set(name, value);
  for (const [name, value] of await ofStore(measured.client)) found.set(name, value);
  return found;
}

/** The process of each role; wrappers around the agent carry its command line, and stand above it. */
function processes(hostPid: number): Record<Role, number> {
  const tree = treeOf(hostPid);
  const last = (program: string) => tree.filter((pid) => commandsOf(pid).some((word) => word.endsWith(program))).at(-1);
  return { host: hostPid, "control-plane": last("control-plane/main.ts") ?? 0, agent: last("agent/main.ts") ?? 0 };
}

async function ofProcesses({ probes }: Measured, pids: Record<Role, number>): Promise<[string, number][]> {
  const ticks = () => roles.map((role) => ticksOf(pids[role]));
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, rest));
  const used = ticks().map((after, index) => after - (before[index] ?? 0));
  const found: [string, number][] = [];
  for (const [index, role] of roles.entries()) {
    const memory = pssOf(pids[role]);
    const { heap, handles } = await probe(probes, role, pids[role]);
    const percent = (((used[index] ?? 0) / ticksPerSecond) * 100) / (rest / 1000);
    found.push([`${role}: processor at rest, %`, percent]);
    found.push([`${role}: heap, KiB`, heap / 1024]);
    found.push([`${role}: memory (PSS), MiB`, memory]);
    found.push([`${role}: handles`, handles]);
    found.push([`${role}: open files`, readdirSync(`/proc/${pids[role]}/fd`).length]);
    const snapshot = join(probes, `${role}.heapsnapshot`);
    if (!existsSync(snapshot)) continue;
    for (const [name, count] of countObjects(snapshot)) found.push([`${role}: objects: ${name}`, count]);
  }
  return found;
}

async function probe(folder: string, role: Role, pid: number): Promise<Held> {
  const file = join(folder, `${role}.json`);
  for (const old of [file, join(folder, `${role}.heapsnapshot`)]) rmSync(old, { force: true });
  process.kill(pid, "SIGUSR2");
  await eventually(() => existsSync(file), 60_000);
  return JSON.parse(readFileSync(file, "utf8")) as Held;
}

/** Proportional resident memory (proc(5), smaps_rollup). */
function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Of the agent's world. */
function ofKernel({ folder }: Measured, agent: number): [string, number][] {
  const inside = ["--target", String(agent), "--net", "--"];
  const rules = spawnSync("nsenter", [...inside, "nft", "list", "ruleset"], { encoding: "utf8" });
  if (rules.status !== 0) throw new Error(`nft: ${rules.stderr}`);
  const links = spawnSync("nsenter", [...inside, "ip", "-oneline", "link"], { encoding: "utf8" });
  return [
    ["network namespaces", readdirSync(`/proc/${agent}/root/run/netns`).length],
    ["network interfaces", linesOf(links.stdout)],
    ["mounts", linesOf(readFileSync(`/proc/${agent}/mounts`, "utf8"))],
    ["nftables, lines", linesOf(rules.stdout)],
    ["control groups", cgroupsOf(stateFolder(folder).id).reduce((sum, group) => sum + readdirSync(group).length, 0)],
  ];
}

function ofDisk({ folder }: Measured, agent: number): [string, number][] {
  const state = stateFolder(folder);
  const nodes = join(state.agent, "nodes");
  const perNode = (part: string) =>
    readdirSync(nodes).reduce((sum, node) => sum + filesBelow(join(nodes, node, part)), 0);
  const size = (name: string) => statSync(join(state.store, "store", name), { throwIfNoEntry: false })?.size ?? 0;
  return [
    ["files of pods, logs included", perNode("pods")],
    ["records of pods", perNode("records")],
    ["files in the agent's scratch space", filesBelow(`/proc/${agent}/root/run/dhow`)],
    ["files in the cluster's folder", filesBelow(state.path)],
    ["sockets", filesBelow(state.sockets)],
    ["database, KiB", size("store.sqlite") / 1024],
    ["database's log, KiB", size("store.sqlite-wal") / 1024],
    ["logs of the cluster, KiB", bytesBelow(state.logs) / 1024],
  ];
}

/** The rows of the store, by kind. */
async function ofStore(client: KubeClient): Promise<[string, number][]> {
  const { body } = await client.raw({ method: "GET", path: "/metrics", headers: {} });
  const rows = [...(await readText(body)).matchAll(/^apiserver_resource_objects\{resource="(.+)"\} (\d+)$/gm)];
  return rows.map(([, resource, count]) => [`rows: ${resource}`, Number(count)]);
}

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function filesBelow(path: string): number {
  let count = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    count++;
    // The data of a database and the base of the pods' roots are not of interest, and large.
    if (entry.isDirectory() && entry.name !== "base") count += filesBelow(join(path, entry.name));
  }
  return count;
}

function bytesBelow(path: string): number {
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}
