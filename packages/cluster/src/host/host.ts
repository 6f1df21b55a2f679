import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, type Reporter } from "@dhow/base";
import { probeWorld, spawnWorld, type WorldSupport } from "@dhow/node/world";
import type { AgentConfig } from "../agent/config.ts";
import type { PortEntrance } from "../agent/entrances.ts";
import type { ControlPlaneConfig, Retention } from "../control-plane/control-plane.ts";
import { cacheFolder } from "../cache.ts";
import { clusterError } from "../errors.ts";
import { type ClusterFolder, clusterFolder, makeFolders } from "../folder.ts";
import { Child, type ChildMessage } from "./child.ts";
import { Doors, openEntry, openServicePort } from "./doors.ts";
import { checkRequirements } from "./requirements.ts";
import { processStart, runningCluster, sayRunning, sayStopped } from "./running.ts";

export interface ClusterOptions {
  /** Where the cluster keeps what it has; made if it is not there. */
  readonly folder: string;
  readonly system: string;
  readonly environment: string;
  readonly namespace: string;
  readonly detached: boolean;
  /** The port of the ingress on 127.0.0.1; 80 where allowed, else 8080, unless said. */
  readonly port?: number;
  /** The port of the ingress for HTTPS; 443 where allowed, else 8443, or none where both are taken, unless said. */
  readonly httpsPort?: number;
  /** The port of the API server; any free one unless said. */
  readonly apiPort?: number;
  readonly nodes: AgentConfig["nodes"];
  /** `processes`: without namespaces even where they are possible; what is lost then is said in `notes`. */
  readonly isolation?: "processes";
  readonly retention?: Retention;
  readonly reporter: Reporter;
  /** Called when the folder is there and before anything starts: what the cluster is to find in it is written here. */
  readonly prepare?: () => void;
}

export interface Cluster {
  readonly folder: ClusterFolder;
  readonly server: string;
  readonly ingressPort: number;
  /** 0 where there is none. */
  readonly httpsPort: number;
  /** Why this machine cannot give what a cluster promises, a line each. */
  readonly notes: readonly string[];
  /** Ends every pod, then the control plane; what they stored stays. */
  stop(): Promise<void>;
}

/** How long pods have to end when the cluster stops, and the control plane to close its database (milliseconds). */
const patience = { agent: 15_000, controlPlane: 5_000 };

/** Starts the embedded cluster out of a folder: the control plane, and the agent in a world of its own. Throws a DhowError. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  checkRequirements();
  const folder = clusterFolder(options.folder);
  makeFolders(folder);
  const already = runningCluster(folder);
  if (already) {
    throw clusterError("CLUSTER_ALREADY_RUNNING", {
      message: `${already.system} runs already (process ${already.pid}), on port ${already.ingressPort}`,
      instead: "dhow down, or dhow status to see it",
    });
  }
  options.prepare?.();
  const { http, https } = await openEntry({ http: options.port, https: options.httpsPort });
  const doors = new Doors();
  doors.add("http", http);
  if (https) doors.add("https", https);
  try {
    return await new Host(options, folder, doors).start();
  } catch (error) {
    doors.close();
    throw error;
  }
}

class Host {
  readonly #options: ClusterOptions;
  readonly #folder: ClusterFolder;
  readonly #doors: Doors;
  readonly #controlPlane: Child;
  readonly #agent: Child;
  #world: WorldSupport = { possible: false, reason: "not looked at yet" };
  #lastChange: Promise<void> = Promise.resolve();
  #server = "";

  constructor(options: ClusterOptions, folder: ClusterFolder, doors: Doors) {
    this.#options = options;
    this.#folder = folder;
    this.#doors = doors;
    const { reporter } = options;
    this.#controlPlane = new Child({
      name: "control plane",
      reporter,
      spawn: () => this.#spawnControlPlane(),
      onMessage: () => undefined,
    });
    this.#agent = new Child({
      name: "agent",
      reporter,
      spawn: () => this.#spawnAgent(),
      onMessage: (message) => this.#inTurn(() => this.#answer(message)),
      onReady: () => this.#inTurn(() => this.#handOver()),
    });
  }

  async start(): Promise<Cluster> {
    try {
      await Promise.all([this.#controlPlane.start(), this.#startAgent()]);
    } catch (error) {
      await this.stop();
      throw error;
    }
    const { system, environment, namespace, detached } = this.#options;
    const { http: ingressPort, https: httpsPort } = this.#ports();
    const running = { system, environment, namespace, detached, ingressPort, httpsPort, server: this.#server };
    const startedAt = new Date().toISOString();
    sayRunning(this.#folder, {
      pid: process.pid,
      processStart: processStart(process.pid) ?? "",
      startedAt,
      ...running,
    });
    return {
      folder: this.#folder,
      server: this.#server,
      ingressPort,
      httpsPort,
      notes: this.#notes(),
      stop: () => this.stop(),
    };
  }

  async #startAgent(): Promise<void> {
    const asked = this.#options.isolation === "processes";
    this.#world = asked ? { possible: false, reason: "as asked" } : await probeWorld();
    await this.#agent.start();
  }

  async stop(): Promise<void> {
    await this.#agent.stop(patience.agent);
    await this.#controlPlane.stop(patience.controlPlane);
    this.#doors.close();
    sayStopped(this.#folder);
  }

  /** The sockets belong to the host's network, where browsers are. */
  async #handOver(): Promise<void> {
    if (this.#agent.process) await this.#doors.handOverAll(this.#agent.process);
  }

  #ports(): { http: number; https: number } {
    return { http: this.#doors.portOf("http"), https: this.#doors.portOf("https") };
  }

  #notes(): string[] {
    if (this.#world.possible) return [];
    return [`without namespaces (${this.#world.reason}): pods are plain processes, and NetworkPolicy is not enforced`];
  }

  #spawnControlPlane(): ChildProcess {
    const { namespace, system, apiPort, retention } = this.#options;
    const config: ControlPlaneConfig = {
      folder: this.#folder.path,
      port: apiPort ?? 0,
      name: `dhow-${system}`,
      namespace,
      ...(retention && { retention }),
    };
    const log = openLog(this.#folder.logs, "control-plane.log");
    const child = spawn(process.execPath, nodeWords("../control-plane/main.ts", config), {
      stdio: ["ignore", log, log, "ipc"],
      env: childEnvironment(),
      // A session of its own, so that Ctrl-C in a terminal reaches the host alone, which decides what ends when.
      detached: true,
    });
    closeSync(log);
    child.on("message", (message: { type: string; server?: string }) => {
      if (message.type === "ready") this.#server = message.server ?? "";
    });
    return child;
  }

  #spawnAgent(): ChildProcess {
    const config: AgentConfig = {
      folder: this.#folder.path,
      sockets: this.#folder.sockets,
      cache: cacheFolder(),
      nodes: this.#options.nodes,
      isolated: this.#world.possible,
      userNamespace: this.#world.possible && this.#world.userNamespace,
      ports: this.#ports(),
    };
    const log = openLog(this.#folder.logs, "agent.log");
    const argv = [process.execPath, ...nodeWords("../agent/main.ts", config)];
    const options = {
      env: childEnvironment(),
      stdio: ["ignore", log, log, "ipc"] as ["ignore", number, number, "ipc"],
    };
    const child = this.#world.possible
      ? spawnWorld({ argv, userNamespace: this.#world.userNamespace, ...options })
      : spawn(process.execPath, argv.slice(1), options);
    closeSync(log);
    return child;
  }

  /** One change of the doors at a time: two that hand over one socket would open it twice. */
  #inTurn(change: () => Promise<void>): void {
    this.#lastChange = this.#lastChange.then(change).catch((error: unknown) => {
      const message = messageOf(error);
      this.#options.reporter.report({ kind: "cluster.door-failed", level: "error", subject: "ports", message });
    });
  }

  async #answer(message: ChildMessage): Promise<void> {
    if (message.type === "open-port") await this.#openPort(message.entrance);
    if (message.type === "close-port") this.#doors.remove(message.entrance);
  }

  async #openPort(entrance: PortEntrance): Promise<void> {
    if (this.#doors.portOf(entrance) !== 0) return;
    const server = await openServicePort(entrance, this.#options.reporter);
    if (!server) return;
    this.#doors.add(entrance, server);
    if (this.#agent.process) await this.#doors.handOver(entrance, this.#agent.process);
  }
}

/** What a process of the cluster says; what is beyond this size (bytes) when it starts is put aside, in place of what was put aside before. */
const logSize = 10 << 20;

function openLog(folder: string, name: string): number {
  const path = join(folder, name);
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > logSize) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
}

function nodeWords(file: string, config: object): string[] {
  return [
    "--disable-warning=ExperimentalWarning",
    // Small young generations keep an idle process small; what is collected more often is little.
    "--max-semi-space-size=2",
    fileURLToPath(new URL(file, import.meta.url)),
    JSON.stringify(config),
  ];
}

/** Compiled code is kept between starts: without it, reading a few hundred files takes longer than everything else. */
function childEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: join(cacheFolder(), "compiled") };
}
