import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import { join } from "node:path";
import type { Clock, Reporter } from "@dhow/base";
import { type KubeClient, type Node, type NodeStatus, type Service, startInformer } from "@dhow/kube";
import type { ImageRuntime } from "./images/images.ts";
import type { DnsSettings, NodeContext } from "./kubelet/context.ts";
import { EventRecorder } from "./kubelet/events.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import { Heartbeat } from "./kubelet/node/heartbeat.ts";
import { allocatable, kubeletVersion, type NodeOptions, nodeStatus } from "./kubelet/node/node-object.ts";
import { ObjectSource } from "./kubelet/object-source.ts";
import { PodRecords } from "./kubelet/pod-record.ts";
import { TokenManager } from "./kubelet/volumes/tokens.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { KubeletAccess } from "./streaming/access.ts";
import { type KubeletTls, secureKubeletServer } from "./streaming/secure-server.ts";
import { createKubeletServer } from "./streaming/server.ts";

export interface AgentOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Ends the agent as `close` does. */
  readonly signal: AbortSignal;
  /** The node's own state: what ran, logs, volumes. */
  readonly folder: string;
  readonly nodes: readonly NodeOptions[];
  readonly sandbox: Sandbox;
  readonly images: ImageRuntime;
  readonly dns: DnsSettings;
  /** Folders of the host that a hostPath volume may name, or lie under; none where it is left out. */
  readonly hostPaths?: readonly string[];
}

export interface Agent {
  /** The kubelet's HTTP interface, for the caller to let listen on a Unix socket. It serves the pods of all nodes. */
  readonly kubeletHandler: Server;
  /** That of one node over HTTPS, for those whom the cluster lets in; the caller lets it listen or gives it connections. */
  secureKubeletHandler(node: string, tls: KubeletTls): SecureServer;
  /** Ends all containers, within a few seconds, and gives everything back. Pods run again when an agent starts on the same folder. */
  close(): Promise<void>;
}

/** How long containers may take to end when the agent ends. */
const closeGrace = 3000;

/** Registers the nodes and runs the pods that are bound to them. Resolves when the nodes are ready. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { client, clock, reporter, nodes, sandbox, images } = options;
  const stop = new AbortController();
  const services = startInformer<Service>(
    client,
    { apiVersion: "v1", kind: "Service" },
    { signal: stop.signal, clock },
  );
  const shared = {
    objects: new ObjectSource(client, clock),
    tokens: new TokenManager(client, clock),
    services: () => services.list(),
  };
  const kubelets = nodes.map((node) => new Kubelet(nodeContext(options, node, shared)));
  const heartbeats = nodes.map((node) => {
    const status = (previous: Node | undefined) => statusOf(options, node, previous);
    return new Heartbeat({ client, clock, reporter, node, status });
  });
  const kubeletHandler = createKubeletServer({ kubelets, clock, nodes: nodes.length });
  const endImages = images.onChange(() => {
    for (const kubelet of kubelets) kubelet.imagesChanged();
  });

  const secure: SecureServer[] = [];
  const secureKubeletHandler = (node: string, tls: KubeletTls) => {
    const own = kubelets.filter(({ context }) => context.nodeName === node);
    const handler = createKubeletServer({ kubelets: own, clock, nodes: nodes.length });
    const server = secureKubeletServer(handler, new KubeletAccess(client, clock, node), tls);
    secure.push(server);
    return server;
  };

  async function shutDown(): Promise<void> {
    for (const heartbeat of heartbeats) heartbeat.stop();
    endImages();
    await Promise.all(kubelets.map((kubelet) => kubelet.shutdown(closeGrace)));
    stop.abort();
    shared.objects.close();
    for (const server of [kubeletHandler, ...secure]) {
      server.close();
      server.closeAllConnections();
    }
    await sandbox.close();
  }
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown());
  options.signal.addEventListener("abort", () => void close(), { once: true });

  await Promise.all([services.synced, ...heartbeats.map((heartbeat) => heartbeat.start())]);
  await Promise.all(kubelets.map((kubelet) => kubelet.start(stop.signal)));
  return { kubeletHandler, secureKubeletHandler, close };
}

type Shared = Pick<NodeContext, "objects" | "tokens" | "services">;

function nodeContext(options: AgentOptions, node: NodeOptions, shared: Shared): NodeContext {
  const { client, clock, reporter, folder, sandbox, images, dns } = options;
  const own = join(folder, "nodes", node.name);
  return {
    ...shared,
    client,
    clock,
    reporter,
    sandbox,
    images,
    dns,
    events: new EventRecorder(client, clock, reporter, node.name),
    records: new PodRecords(join(own, "records"), reporter),
    nodeName: node.name,
    hostIP: node.address,
    allocatable: allocatable(node),
    podsFolder: join(own, "pods"),
    volumesFolder: join(folder, "volumes"),
    hostPaths: options.hostPaths ?? [],
  };
}

function statusOf(options: AgentOptions, node: NodeOptions, previous: Node | undefined): NodeStatus {
  const { isolation, notes } = options.sandbox.capabilities;
  return nodeStatus({
    options: node,
    runtimeVersion: `dhow://${kubeletVersion.replaceAll(/^v|\+.*$/g, "")}-${isolation}`,
    images: options.images.known(),
    now: options.clock.now(),
    previous: previous?.status?.conditions ?? [],
    notes,
  });
}
