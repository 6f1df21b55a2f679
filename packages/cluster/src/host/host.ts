import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Reporter } from "@dhow/base";
import { type AgentConfig, serviceCidr } from "../agent/config.ts";
import type { ControlPlaneConfig, Retention } from "../control-plane/control-plane.ts";
import { type ClusterFolder, clusterFolder, makeFolders } from "../folder.ts";
import { claimFolder } from "./claim.ts";
import { AgentHost } from "./agent-host.ts";
import { Child } from "./child.ts";
import { Doors, openEntry, type RefusedPort } from "./doors.ts";
import { childEnvironment, nodeWords, openLog } from "./node-process.ts";
import { checkRequirements } from "./requirements.ts";
import { processStart, type RunningCluster, sayRunning, sayStopped } from "./running.ts";

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
  /** Names of the controllers that run; all of them unless said. `[]` leaves their work to others, such as those of Kubernetes. */
  readonly controllers?: readonly string[];
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
  /** Ports of Services that somebody else has at this moment. */
  readonly refusedPorts: () => readonly RefusedPort[];
  /** Ends every pod, then the control plane; what they stored stays. */
  stop(): Promise<void>;
}

/** How long the control plane has to close its database when the cluster stops (milliseconds). */
const patience = 5_000;

/** Starts the embedded cluster out of a folder: the control plane, and the agent in a world of its own. Throws a DhowError. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  checkRequirements();
  const folder = clusterFolder(options.folder);
  makeFolders(folder);
  const giveBack = await claimFolder(folder);
  let doors: Doors | undefined;
  try {
    options.prepare?.();
    const { http, https } = await openEntry({ http: options.port, https: options.httpsPort });
    doors = new Doors(options.reporter);
    doors.add("http", http);
    if (https) doors.add("https", https);
    return await new Host(options, folder, doors, giveBack).start();
  } catch (error) {
    doors?.close();
    giveBack();
    throw error;
  }
}

class Host {
  readonly #options: ClusterOptions;
  readonly #folder: ClusterFolder;
  readonly #doors: Doors;
  readonly #giveBack: () => void;
  readonly #controlPlane: Child;
  readonly #agent: AgentHost;
  #plainPods = false;
  #running: RunningCluster | undefined;
  #server = "";

  constructor(options: ClusterOptions, folder: ClusterFolder, doors: Doors, giveBack: () => void) {
    this.#options = options;
    this.#folder = folder;
    this.#doors = doors;
    this.#giveBack = giveBack;
    const { reporter, nodes, isolation } = options;
    this.#controlPlane = new Child({
      name: "control plane",
      reporter,
      spawn: () => this.#spawnControlPlane(),
      onMessage: () => undefined,
    });
    const kubeconfig = folder.agentKubeconfig;
    const onPlainPods = () => this.#sayPlainPods();
    const onDoors = () => this.#noteRefused();
    const agent = { folder, kubeconfig, serviceCidr, nodes, isolation, reporter, onPlainPods, onDoors };
    this.#agent = new AgentHost(agent, doors);
  }

  async start(): Promise<Cluster> {
    try {
      await Promise.all([this.#controlPlane.start(), this.#agent.start()]);
    } catch (error) {
      await this.stop();
      throw error;
    }
    const { system, environment, namespace, detached } = this.#options;
    const { http: ingressPort, https: httpsPort } = this.#agent.ports();
    const running = { system, environment, namespace, detached, ingressPort, httpsPort, server: this.#server };
    this.#running = {
      pid: process.pid,
      processStart: processStart(process.pid) ?? "",
      startedAt: new Date().toISOString(),
      refusedPorts: this.#doors.refused,
      ...running,
    };
    sayRunning(this.#folder, this.#running);
    return {
      folder: this.#folder,
      server: this.#server,
      ingressPort,
      httpsPort,
      notes: this.#agent.notes(),
      refusedPorts: () => this.#doors.refused,
      stop: () => this.stop(),
    };
  }

  async stop(): Promise<void> {
    this.#running = undefined;
    await this.#agent.stop();
    await this.#controlPlane.stop(patience);
    this.#doors.close();
    sayStopped(this.#folder);
    this.#giveBack();
  }

  /** What it is told by its configuration when it is started again. */
  #sayPlainPods(): void {
    this.#plainPods = true;
    this.#controlPlane.process?.send({ type: "plain-pods" });
  }

  /** For whoever asks for the state. */
  #noteRefused(): void {
    const { refused: refusedPorts } = this.#doors;
    if (!this.#running || isDeepStrictEqual(this.#running.refusedPorts, refusedPorts)) return;
    this.#running = { ...this.#running, refusedPorts };
    sayRunning(this.#folder, this.#running);
  }

  #spawnControlPlane(): ChildProcess {
    const { namespace, system, apiPort, controllers, retention } = this.#options;
    const config: ControlPlaneConfig = {
      folder: this.#folder.path,
      port: apiPort ?? 0,
      name: `dhow-${system}`,
      namespace,
      plainPods: this.#plainPods,
      ...(retention && { retention }),
      ...(controllers && { controllers }),
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
}
