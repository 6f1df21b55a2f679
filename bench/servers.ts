import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "@dhow/cluster";
import { type Connection, loadKubeconfig } from "@dhow/kube";
import { realKubernetes } from "@dhow/testkit";
import { atTheEnd } from "./endings.ts";

/** A control plane that is measured: ours, or the real one. */
export interface Server {
  readonly name: "here" | "real";
  readonly connection: Connection;
  /** Its processes. */
  pids(): readonly number[];
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL("../packages/cluster/src/control-plane/main.ts", import.meta.url));

/** Where the host keeps compiled code. */
const compiled = join(cacheFolder(), "compiled");

/** Starts our control plane in a process of its own, as the host does, and resolves when its API answers. */
export async function startHere(folder: string, cache = compiled): Promise<Server> {
  const config = JSON.stringify({ folder, port: 0, name: "bench", namespace: "default" });
  const flags = (process.env["DHOW_BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...flags, main, config], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const stop = atTheEnd(() => ended(child, "SIGTERM"));
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", () => reject(new Error("the control plane ended")));
  });
  const { server, ca, token } = loadKubeconfig(join(folder, "kubeconfig"));
  return {
    name: "here",
    connection: { server, ...(ca ? { ca } : {}), ...(token ? { token } : {}) },
    pids: () => [child.pid ?? 0],
    stop,
  };
}

/** A temporary folder, and what takes it away again. */
export function temporary(prefix: string): { folder: string; remove: () => Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  return { folder, remove: atTheEnd(() => rmSync(folder, { recursive: true, force: true })) };
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await over;
}

export interface RealServer extends Server {
  readonly startMilliseconds: number;
  /** Starts its controller manager anew with more flags than the script gives it. */
  controllerManagerWith(flags: readonly string[]): Promise<void>;
}

/** Starts the real control plane that may be on this machine; the reason where there is none. */
export function startReal(port: number): RealServer | string {
  const { folder: programs, skip } = realKubernetes();
  if (programs === undefined) return skip;
  const { folder, remove } = temporary("dhow-bench-real-");
  const stop = atTheEnd(() => void spawnSync(join(programs, "down"), [folder, "--forget"], { stdio: "ignore" }));
  // The first start unpacks programs: it is not what is measured.
  run(join(programs, "up"), folder, "--port", String(port));
  run(join(programs, "down"), folder);
  const begin = performance.now();
  run(join(programs, "up"), folder, "--port", String(port));
  const startMilliseconds = performance.now() - begin;
  const { server, ca } = loadKubeconfig(join(folder, "admin.kubeconfig"));
  const pidFile = (name: string) => join(folder, "pids", name);
  return {
    name: "real",
    startMilliseconds,
    connection: { server, ...(ca ? { ca } : {}), token: "admin-token" },
    pids: () => readdirSync(join(folder, "pids")).map((name) => Number(readFileSync(pidFile(name), "utf8"))),
    async stop() {
      await stop();
      await remove();
    },
    async controllerManagerWith(flags) {
      const name = "kube-controller-manager";
      const pid = Number(readFileSync(pidFile(name), "utf8"));
      const [program = "", ...words] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
      const asShipped = words.filter((word) => !flags.some((flag) => word.startsWith(`${flag.split("=")[0]}=`)));
      process.kill(pid, "SIGTERM");
      await gone(pid);
      const log = openSync(join(folder, "logs", `${name}.log`), "a");
      const child = spawn(program, [...asShipped, ...flags], { detached: true, stdio: ["ignore", log, log] });
      child.unref();
      closeSync(log);
      writeFileSync(pidFile(name), String(child.pid));
    },
  };
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function run(...words: string[]): void {
  const [program = "", ...rest] = words;
  const result = spawnSync(program, rest, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${words.join(" ")}: ${result.stderr}`);
}
