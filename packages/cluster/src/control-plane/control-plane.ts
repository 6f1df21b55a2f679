import { existsSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { type ApiServer, createApiServer } from "@dhow/apiserver";
import { type Reporter, systemClock } from "@dhow/base";
import { KubeClient, type Transport } from "@dhow/kube";
import { clusterFolder, type ClusterFolder, makeFolders } from "../folder.ts";
import { listening } from "../listening.ts";
import { writeIfOther } from "../write-if-other.ts";
import { writeKubeconfig } from "../kubeconfig.ts";
import { loadPki, type Pki, signClientCertificate } from "../pki.ts";
import { agentUser, bootstrapObjects } from "./bootstrap.ts";
import { serveApi } from "./http-server.ts";

/** What the host tells the control plane when it starts it; goes over the command line as JSON. */
export interface ControlPlaneConfig {
  readonly folder: string;
  /** The port on 127.0.0.1; 0: the one of last time if it is free, else any. */
  readonly port: number;
  /** The name and the default namespace of the kubeconfig's context. */
  readonly name: string;
  readonly namespace: string;
  /** Pods are plain processes, with addresses on the loopback. Where that is found out later, `podsArePlain` is called. */
  readonly plainPods?: boolean;
  /** Names of controllers that run; all of them unless said. */
  readonly controllers?: readonly string[];
  readonly retention?: Retention;
}

/** How long the past is kept; Kubernetes' times unless said. */
export interface Retention {
  /** Old versions of objects, for watches and lists of the past. */
  readonly compactionMilliseconds?: number;
  readonly eventTtlMilliseconds?: number;
}

/** API server, controllers and scheduler in one process, as functions wired together. */
export class ControlPlane {
  readonly #config: ControlPlaneConfig;
  readonly #folder: ClusterFolder;
  readonly #stopped = new AbortController();
  readonly #servers: Server[] = [];
  #api: ApiServer | undefined;
  #pki: Pki | undefined;
  #plainPods: boolean;

  constructor(config: ControlPlaneConfig) {
    this.#config = config;
    this.#plainPods = config.plainPods ?? false;
    this.#folder = clusterFolder(config.folder);
  }

  /** Resolves when the API answers, with all that a cluster has from the start. */
  async start(): Promise<{ server: string }> {
    makeFolders(this.#folder);
    const pki = (this.#pki = await loadPki(this.#folder.pki, Date.now()));
    const agent = { name: "dhow-agent", server: "https://localhost", token: pki.agentToken, ca: pki.ca };
    writeKubeconfig(this.#folder.agentKubeconfig, { ...agent, namespace: "default" });
    const port = await this.#listen(pki);
    const server = `https://127.0.0.1:${port}`;
    writeKubeconfig(this.#folder.kubeconfig, { ...this.#config, server, ca: pki.ca, token: pki.adminToken });
    await bootstrapObjects(this.#client());
    return { server };
  }

  /** Starts the controllers, whose code nobody has to wait for who asks the API; resolves when they have begun to work. */
  async startControllers(): Promise<void> {
    const { startControllers } = await import("@dhow/controllers");
    if (this.#stopped.signal.aborted) return;
    const { controllers, retention } = this.#config;
    const pki = this.#pki as Pki;
    await startControllers({
      client: this.#client(),
      clock: systemClock,
      reporter: toLog,
      signal: this.#stopped.signal,
      rootCertificateAuthority: pki.ca,
      signCertificate: (asked) => signClientCertificate(pki, asked),
      // The host opens the port of such a Service on its loopback.
      loadBalancerAddress: () => "127.0.0.1",
      volumeFolder: join(this.#folder.agent, "volumes"),
      ...(controllers && { only: controllers }),
      ...(retention?.eventTtlMilliseconds !== undefined && { eventTtlMilliseconds: retention.eventTtlMilliseconds }),
    });
  }

  /** The host has found out that this machine allows no namespaces. */
  podsArePlain(): void {
    this.#plainPods = true;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    // With its server goes the socket; whoever starts the cluster again meanwhile has made another by then.
    await this.#api?.close();
  }

  async #listen(pki: Pki): Promise<number> {
    const { compactionMilliseconds } = this.#config.retention ?? {};
    const api = await createApiServer({
      ...(compactionMilliseconds !== undefined && { compactionMilliseconds }),
      folder: this.#folder.store,
      clock: systemClock,
      reporter: toLog,
      serviceCidr: "10.96.0.0/16",
      nodePortRange: [30000, 32767],
      certificateAuthority: pki.ca,
      serviceAccountKey: pki.serviceAccountKey,
      tokens: [
        { token: pki.adminToken, user: { name: "dhow:admin", groups: ["system:masters", "system:authenticated"] } },
        { token: pki.agentToken, user: agentUser },
      ],
      dialKubelet: () => dial(this.#folder.kubeletSocket),
      advertise: { address: "10.96.0.1", port: 443 },
      loopbackEndpoints: () => this.#plainPods,
    });
    this.#api = api;
    const tls = { certificate: pki.serverCertificate, key: pki.serverKey, ca: pki.ca };
    const onSocket = serveApi(api, tls);
    const onPort = serveApi(api, tls);
    this.#servers.push(onSocket, onPort);
    rmSync(this.#folder.apiSocket, { force: true });
    await listening(onSocket, { path: this.#folder.apiSocket });
    return this.#listenOnPort(onPort);
  }

  /** The port of last time, so that kubeconfigs and open terminals stay good; another one where that is taken. */
  async #listenOnPort(server: Server): Promise<number> {
    const file = join(this.#folder.path, "api-port");
    const last = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    const wanted = this.#config.port || last;
    try {
      await listening(server, { port: wanted, host: "127.0.0.1" });
    } catch (error) {
      if (this.#config.port !== 0 || wanted === 0) throw error;
      await listening(server, { port: 0, host: "127.0.0.1" });
    }
    const { port } = server.address() as AddressInfo;
    writeIfOther(file, String(port), 0o644);
    return port;
  }

  #client(): KubeClient {
    return new KubeClient(inProcess(this.#api as ApiServer), { userAgent: "dhow-controllers" });
  }
}

/** Standard output is the log in the cluster's folder. */
const toLog: Reporter = {
  report(report) {
    if (report.level !== "debug") console.log(JSON.stringify({ timestamp: new Date().toISOString(), ...report }));
  },
};

/** The controllers call the API server's function: the same requests, without sockets. */
function inProcess(api: ApiServer): Transport {
  const connection = {
    remoteAddress: "127.0.0.1",
    user: { name: "system:kube-controller-manager", groups: ["system:masters"] },
  };
  return { request: (request) => api.handle({ ...request, connection }) };
}

function dial(path: string): Promise<ReturnType<typeof connect>> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
