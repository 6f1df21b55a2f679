import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { messageOf, type Reporter } from "@dhow/base";
import { probeWorld, spawnWorld, type WorldSupport } from "@dhow/node/world";
import type { AgentConfig } from "../agent/config.ts";
import { cacheFolder } from "../cache.ts";
import type { ClusterFolder } from "../folder.ts";
import { Child, type ChildMessage } from "./child.ts";
import type { Doors } from "./doors.ts";
import { childEnvironment, nodeWords, openLog } from "./node-process.ts";

export interface AgentHostOptions {
  readonly folder: ClusterFolder;
  /** Who the agent is to the API server, which it reaches by the folder's socket. */
  readonly kubeconfig: string;
  readonly serviceCidr: string;
  readonly nodes: AgentConfig["nodes"];
  readonly isolation?: "processes" | undefined;
  readonly reporter: Reporter;
  /** Called as soon as it is known that pods are plain processes. */
  readonly onPlainPods?: () => void;
  /** Called when ports of Services may have become refused, or free. */
  readonly onDoors?: () => void;
}

/** How often it is looked whether a port that was taken is free (milliseconds). */
const portInterval = 2_000;

/** How long pods have to end when the agent stops (milliseconds). */
const patience = 15_000;

/** The host's side of an agent: the process, kept running in a world of its own, and the doors of this machine that lead to it. */
export class AgentHost {
  readonly #options: AgentHostOptions;
  readonly #doors: Doors;
  readonly #agent: Child;
  #world: WorldSupport = { possible: false, reason: "not looked at yet" };
  #lastChange: Promise<void> = Promise.resolve();
  #portTimer: NodeJS.Timeout | undefined;

  constructor(options: AgentHostOptions, doors: Doors) {
    this.#options = options;
    this.#doors = doors;
    this.#agent = new Child({
      name: "agent",
      reporter: options.reporter,
      spawn: () => this.#spawn(),
      onMessage: (message) => this.#inTurn(() => this.#answer(message)),
      onReady: () => this.#inTurn(() => this.#handOver()),
    });
  }

  /** Resolves when the nodes are ready. */
  async start(): Promise<void> {
    const asked = this.#options.isolation === "processes";
    this.#world = asked ? { possible: false, reason: "as asked" } : await probeWorld();
    if (!this.#world.possible) this.#options.onPlainPods?.();
    await this.#agent.start();
  }

  /** Ends every pod; what they stored stays. */
  stop(): Promise<void> {
    clearTimeout(this.#portTimer);
    return this.#agent.stop(patience);
  }

  /** The ports of the ingress; 0 where there is none. */
  ports(): { http: number; https: number } {
    return { http: this.#doors.portOf("http"), https: this.#doors.portOf("https") };
  }

  /** Why this machine cannot give what a cluster promises, a line each. */
  notes(): string[] {
    if (this.#world.possible) return [];
    return [`without namespaces (${this.#world.reason}): pods are plain processes, and NetworkPolicy is not enforced`];
  }

  /** The sockets belong to the host's network, where browsers are. */
  async #handOver(): Promise<void> {
    if (this.#agent.process) await this.#doors.handOver(this.#agent.process);
    this.#options.onDoors?.();
    clearTimeout(this.#portTimer);
    if (this.#doors.refused.length === 0) return;
    this.#portTimer = setTimeout(() => {
      this.#inTurn(async () => {
        await this.#doors.openRefused();
        await this.#handOver();
      });
    }, portInterval).unref();
  }

  #spawn(): ChildProcess {
    const { folder, kubeconfig, serviceCidr, nodes } = this.#options;
    const config: AgentConfig = {
      folder: folder.path,
      sockets: folder.sockets,
      cache: cacheFolder(),
      kubeconfig,
      serviceCidr,
      nodes,
      isolated: this.#world.possible,
      userNamespace: this.#world.possible && this.#world.userNamespace,
      ports: this.ports(),
    };
    const log = openLog(folder.logs, "agent.log");
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
    if (message.type === "close-port") this.#doors.remove(message.entrance);
    if (message.type !== "open-port") return;
    await this.#doors.open(message.entrance);
    await this.#handOver();
  }
}
