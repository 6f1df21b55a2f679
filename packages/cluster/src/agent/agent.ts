import { existsSync, readFileSync, rmSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import { type Reporter, systemClock } from "@dhow/base";
import { KubeClient, KubeconfigTransport } from "@dhow/kube";
import {
  type Agent,
  createImageRuntime,
  type IngressController,
  type NetworkObjects,
  startAgent,
  startIngress,
  watchNetworkObjects,
} from "@dhow/node";
import { clusterFolder, type ClusterFolder } from "../folder.ts";
import type { AgentConfig } from "./config.ts";
import { listening, listens } from "../listening.ts";
import { type Entrance, Entrances, type EntrancesOptions } from "./entrances.ts";
import { openKubeletDoors } from "./kubelet-doors.ts";
import { openPodWorld, ownAddressesOf } from "./pod-world.ts";
import { withdrawReadiness } from "./stale-readiness.ts";

/** Everything that runs pods and carries their traffic, wired together. */
export class ClusterAgent {
  readonly #config: AgentConfig;
  readonly #folder: ClusterFolder;
  readonly #say: (message: object) => void;
  readonly #stopped = new AbortController();
  readonly #reporter: Reporter = { report: (report) => console.log(JSON.stringify(report)) };
  /** Sockets that the host handed over before the ingress was there. */
  readonly #waiting: [entrance: Entrance, server: Server][] = [];
  #entrances: Entrances | undefined;
  #agent: Agent | undefined;

  constructor(config: AgentConfig, say: (message: object) => void) {
    this.#config = config;
    this.#folder = clusterFolder(config.folder, config.sockets);
    this.#say = say;
  }

  /** Resolves when the nodes are ready. */
  async start(): Promise<void> {
    const { signal } = this.#stopped;
    const connected = this.#connect();
    const withdrawn = connected.then((client) =>
      withdrawReadiness(client, new Set(this.#config.nodes.map((node) => node.name))),
    );
    const listed = connected.then((client) => watchNetworkObjects(client, { signal, clock: systemClock }));
    const sandbox = await openPodWorld({
      config: this.#config,
      folder: this.#folder,
      objects: listed,
      reporter: this.#reporter,
      signal,
    });
    const [client, objects] = await Promise.all([connected, listed, withdrawn]);
    this.#agent = await startAgent({
      client,
      clock: systemClock,
      reporter: this.#reporter,
      signal,
      folder: this.#folder.agent,
      nodes: this.#config.nodes,
      sandbox,
      images: createImageRuntime({ table: this.#folder.images, cache: join(this.#config.cache, "images") }),
      dns: ownAddressesOf(this.#config).dns,
    });
    rmSync(this.#folder.kubeletSocket, { force: true });
    await listening(this.#agent.kubeletHandler, { path: this.#folder.kubeletSocket });
    this.#entrances = new Entrances({
      objects,
      ingress: this.#startIngress(client, objects),
      attachKubelet: await this.#kubeletDoors(client, this.#agent),
      say: this.#say,
    });
    for (const [entrance, server] of this.#waiting.splice(0)) this.#entrances.listen(entrance, server);
  }

  /** Takes over a listening socket of the host's network. */
  listen(entrance: Entrance, server: Server): void {
    if (this.#entrances) this.#entrances.listen(entrance, server);
    else this.#waiting.push([entrance, server]);
  }

  /** Takes over a connection that was made before this agent had the socket that listens. */
  accept(entrance: Entrance, socket: Socket | undefined): void {
    // The other side may have gone while the connection was handed over.
    if (socket) this.#entrances?.accept(entrance, socket);
  }

  async stop(): Promise<void> {
    await this.#agent?.close();
    this.#stopped.abort();
    rmSync(this.#folder.kubeletSocket, { force: true });
  }

  #startIngress(client: KubeClient, objects: NetworkObjects): IngressController {
    const text = (name: string) => readFileSync(join(this.#folder.pki, name), "utf8");
    return startIngress({
      client,
      objects,
      reporter: this.#reporter,
      signal: this.#stopped.signal,
      publish: { ip: "127.0.0.1" },
      defaultCertificate: { certificate: text("ingress.crt"), key: text("ingress.key") },
      ports: this.#config.ports,
    });
  }

  /** Where the API server comes by the agent's socket alone there are none. */
  #kubeletDoors(client: KubeClient, agent: Agent): Promise<EntrancesOptions["attachKubelet"]> {
    const byNetwork = this.#config.nodes.some(({ kubelet }) => kubelet);
    return byNetwork ? openKubeletDoors(client, agent, this.#folder.pki) : Promise.resolve(() => undefined);
  }

  /** Waits for the control plane, which is started at the same time. */
  async #connect(): Promise<KubeClient> {
    const { kubeconfig } = this.#config;
    const socketPath = this.#folder.apiSocket;
    // The socket's file may be one that a killed control plane has left.
    while (!existsSync(kubeconfig) || !(await listens(socketPath)))
      await new Promise((resolve) => setTimeout(resolve, 10));
    const transport = new KubeconfigTransport(kubeconfig, systemClock, { socketPath });
    return new KubeClient(transport, { userAgent: "dhow-agent" });
  }
}
