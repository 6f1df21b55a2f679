import { connect, createServer, type Server } from "node:net";
import { rmSync } from "node:fs";
import type { Reporter } from "@dhow/base";
import { loadKubeconfig } from "@dhow/kube";
import { type NodeConfig, serviceCidr } from "../agent/config.ts";
import { clusterFolder, type ClusterFolder, makeFolders } from "../folder.ts";
import { listening } from "../listening.ts";
import { createKubeletCertificate, loadPki } from "../pki.ts";
import { claimFolder } from "./claim.ts";
import { AgentHost } from "./agent-host.ts";
import { Doors, openDoor, openEntry } from "./doors.ts";
import { checkRequirements } from "./requirements.ts";

export interface JoinOptions {
  /** Where the nodes keep what they have; made if it is not there. */
  readonly folder: string;
  /** Leads to the cluster; its user has the rights of `joinObjects`. A token, or a client certificate. */
  readonly kubeconfig: string;
  readonly nodes: readonly NodeConfig[];
  /** The address of this machine under which the API server reaches the kubelets; 127.0.0.1 unless said. */
  readonly address?: string;
  /** The range of the cluster's Services (`--service-cluster-ip-range` of its API server); 10.96.0.0/16 unless said. */
  readonly serviceCidr?: string;
  /** The ports of the ingress on 127.0.0.1, as for `startCluster`. */
  readonly port?: number;
  readonly httpsPort?: number;
  readonly isolation?: "processes";
  readonly reporter: Reporter;
  /** Called when the folder is there and before anything starts: the table of images is written here. */
  readonly prepare?: (folder: ClusterFolder) => void;
}

export interface JoinedNodes {
  readonly folder: ClusterFolder;
  readonly ingressPort: number;
  /** 0 where there is none. */
  readonly httpsPort: number;
  /** Why this machine cannot give what a cluster promises, a line each. */
  readonly notes: readonly string[];
  /** Ends every pod; what they stored stays, and so do the Nodes. */
  stop(): Promise<void>;
}

/** Makes this machine nodes of a cluster that is there already, whoever runs its control plane. Throws a DhowError. */
export async function joinCluster(options: JoinOptions): Promise<JoinedNodes> {
  checkRequirements();
  const folder = clusterFolder(options.folder);
  makeFolders(folder);
  const giveBack = await claimFolder(folder);
  try {
    options.prepare?.(folder);
    return await join(options, folder, giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

async function join(options: JoinOptions, folder: ClusterFolder, giveBack: () => void): Promise<JoinedNodes> {
  const { kubeconfig, reporter, isolation, address = "127.0.0.1" } = options;
  const now = Date.now();
  await loadPki(folder.pki, now);
  await createKubeletCertificate(folder.pki, address, now);
  const doors = new Doors(reporter);
  const nodes = await openDoors(options, doors, address);
  const relay = await relayTo(new URL(loadKubeconfig(kubeconfig).server), folder.apiSocket);
  const range = options.serviceCidr ?? serviceCidr;
  const agent = new AgentHost({ folder, kubeconfig, serviceCidr: range, nodes, isolation, reporter }, doors);
  const stop = async () => {
    await agent.stop();
    relay.close();
    doors.close();
    giveBack();
  };
  try {
    await agent.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const { http: ingressPort, https: httpsPort } = agent.ports();
  return { folder, ingressPort, httpsPort, notes: agent.notes(), stop };
}

/** The entries of the ingress, and a door for each kubelet, as an API server knows nodes apart by where they are. */
async function openDoors(options: JoinOptions, doors: Doors, address: string): Promise<NodeConfig[]> {
  const { http, https } = await openEntry({ http: options.port, https: options.httpsPort });
  doors.add("http", http);
  if (https) doors.add("https", https);
  const nodes: NodeConfig[] = [];
  for (const node of options.nodes) {
    const entrance = `kubelet/${node.name}` as const;
    doors.add(entrance, await openDoor(node.kubelet?.port ?? 0, "another port for the node's kubelet", address));
    nodes.push({ ...node, kubelet: { address, port: doors.portOf(entrance) } });
  }
  return nodes;
}

/** The agent's network has no way out; this socket is its way to the API server, and TLS passes through as it is. */
async function relayTo(server: URL, socket: string): Promise<Server> {
  const port = Number(server.port || 443);
  const host = server.hostname.replaceAll(/^\[|\]$/g, "");
  const relay = createServer((inside) => {
    const outside = connect({ host, port });
    inside.pipe(outside).pipe(inside);
    for (const each of [inside, outside]) each.on("error", () => [inside, outside].forEach((one) => one.destroy()));
  });
  rmSync(socket, { force: true });
  await listening(relay, { path: socket });
  return relay;
}
