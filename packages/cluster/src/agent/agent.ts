import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { type Reporter, systemClock } from "@dhow/base";
import { httpTransport, KubeClient } from "@dhow/kube";
import {
  type Agent,
  createImageRuntime,
  createNamespaceSandbox,
  createNetwork,
  type IngressController,
  type NetworkObjects,
  Proxy,
  type Sandbox,
  startAgent,
  startDns,
  startIngress,
  watchNetworkObjects,
} from "@dhow/node";
import { clusterFolder, type ClusterFolder } from "../folder.ts";
import type { AgentConfig } from "./config.ts";
import { type Entrance, Entrances } from "./entrances.ts";
import { withAnnouncedAddresses } from "./announced-sandbox.ts";

const serviceCidr = "10.96.0.0/16";
const apiAddress = "10.96.0.1";
const dns = { address: "10.96.0.10", clusterDomain: "cluster.local" };

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
    const sandbox = this.#openSandbox();
    const client = await this.#connect();
    const objects = watchNetworkObjects(client, { signal: this.#stopped.signal, clock: systemClock });
    const prepared = await (this.#config.isolated ? this.#openNetwork(await sandbox, await objects) : sandbox);
    this.#agent = await startAgent({
      client,
      clock: systemClock,
      reporter: this.#reporter,
      signal: this.#stopped.signal,
      folder: this.#folder.agent,
      nodes: this.#config.nodes,
      sandbox: prepared,
      images: createImageRuntime({ table: this.#folder.images, cache: join(this.#config.cache, "images") }),
      dns,
    });
    rmSync(this.#folder.kubeletSocket, { force: true });
    await listening(this.#agent.kubeletHandler, { path: this.#folder.kubeletSocket });
    this.#entrances = new Entrances(await objects, this.#startIngress(client, await objects), this.#say);
    for (const [entrance, server] of this.#waiting.splice(0)) this.#entrances.listen(entrance, server);
  }

  /** Takes over a listening socket of the host's network. */
  listen(entrance: Entrance, server: Server): void {
    if (this.#entrances) this.#entrances.listen(entrance, server);
    else this.#waiting.push([entrance, server]);
  }

  async stop(): Promise<void> {
    await this.#agent?.close();
    this.#stopped.abort();
    rmSync(this.#folder.kubeletSocket, { force: true });
  }

  #openSandbox(): Promise<Sandbox> {
    const { nodes } = this.#config;
    return createNamespaceSandbox({ nodes, clock: systemClock, userNamespace: this.#config.userNamespace });
  }

  /** Service rules, policies, names, and the API server at its Service's address. */
  async #openNetwork(sandbox: Sandbox, objects: NetworkObjects): Promise<Sandbox> {
    const { nodes } = this.#config;
    const { signal } = this.#stopped;
    const ownAddresses = [apiAddress, dns.address];
    const network = await createNetwork({ nodes, serviceCidr, ownAddresses });
    const proxy = new Proxy({
      objects,
      network,
      reporter: this.#reporter,
      nodes,
      ownAddresses,
      dnsAddress: dns.address,
      signal,
    });
    await Promise.all([
      proxy.settled(),
      startDns({ ...dns, objects, reporter: this.#reporter, signal }),
      this.#relayApi(),
    ]);
    return withAnnouncedAddresses(sandbox, proxy, objects);
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

  /** The API server is on the host's network; its Unix socket is the way there, and TLS passes through as it is. */
  async #relayApi(): Promise<void> {
    const relay = createServer((inside) => {
      const outside = connect(this.#folder.apiSocket);
      inside.pipe(outside).pipe(inside);
      for (const socket of [inside, outside])
        socket.on("error", () => [inside, outside].forEach((each) => each.destroy()));
    });
    this.#stopped.signal.addEventListener("abort", () => relay.close(), { once: true });
    await listening(relay, { host: apiAddress, port: 443 });
  }

  /** Waits for the control plane, which is started at the same time. */
  async #connect(): Promise<KubeClient> {
    const token = join(this.#folder.pki, "agent.token");
    const complete = join(this.#folder.pki, "complete");
    while (!existsSync(complete) || !existsSync(this.#folder.apiSocket))
      await new Promise((resolve) => setTimeout(resolve, 10));
    const transport = httpTransport({
      server: "https://localhost",
      socketPath: this.#folder.apiSocket,
      ca: readFileSync(join(this.#folder.pki, "ca.crt"), "utf8"),
      token: readFileSync(token, "utf8"),
    });
    return new KubeClient(transport, { userAgent: "dhow-agent" });
  }
}

function listening(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, resolve);
  });
}
