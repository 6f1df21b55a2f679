import { connect, createServer } from "node:net";
import { join } from "node:path";
import { type Reporter, systemClock } from "@dhow/base";
import {
  createNamespaceSandbox,
  createNetwork,
  createProcessNetwork,
  createProcessSandbox,
  type NetworkObjects,
  Proxy,
  type Sandbox,
  startDns,
} from "@dhow/node";
import type { ClusterFolder } from "../folder.ts";
import { listening } from "../listening.ts";
import { withAnnouncedAddresses } from "./announced-sandbox.ts";
import type { AgentConfig } from "./config.ts";

/** Addresses of Services that the agent itself answers at: where kubeadm puts them, and everybody after it. */
export interface OwnAddresses {
  readonly api: string;
  readonly dns: { readonly address: string; readonly clusterDomain: string };
}

export function ownAddressesOf({ serviceCidr }: Pick<AgentConfig, "serviceCidr">): OwnAddresses {
  const [first = 0, ...others] = serviceCidr.split("/")[0]?.split(".").map(Number).reverse() ?? [];
  const address = (index: number) => [first + index, ...others].reverse().join(".");
  return { api: address(1), dns: { address: address(10), clusterDomain: "cluster.local" } };
}

export interface PodWorldOptions {
  readonly config: AgentConfig;
  readonly folder: ClusterFolder;
  readonly objects: Promise<NetworkObjects>;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Where pods run and how they reach each other: in namespaces, or, where there are none, as plain processes with what is left of it. */
export function openPodWorld(options: PodWorldOptions): Promise<Sandbox> {
  return options.config.isolated ? openNamespaces(options) : openProcesses(options);
}

/** Service rules, policies, names, and the API server at its Service's address. */
async function openNamespaces({
  config,
  folder,
  objects: listed,
  reporter,
  signal,
}: PodWorldOptions): Promise<Sandbox> {
  const { nodes, userNamespace, serviceCidr } = config;
  const { api, dns } = ownAddressesOf(config);
  const opened = createNamespaceSandbox({ nodes, clock: systemClock, userNamespace, owner: folder.id });
  const [sandbox, objects] = await Promise.all([opened, listed]);
  const ownAddresses = [api, dns.address];
  const network = await createNetwork({ nodes, serviceCidr, ownAddresses });
  const proxy = new Proxy({ objects, network, reporter, nodes, ownAddresses, dnsAddress: dns.address, signal });
  await Promise.all([
    proxy.settled(),
    startDns({ ...dns, objects, reporter, signal }),
    relayApi(folder.apiSocket, api, signal),
  ]);
  return withAnnouncedAddresses(sandbox, proxy, objects);
}

async function openProcesses({ config, folder, objects: listed, reporter, signal }: PodWorldOptions): Promise<Sandbox> {
  const { nodes } = config;
  const { dns } = ownAddressesOf(config);
  const sandbox = createProcessSandbox({ folder: join(folder.agent, "scratch"), nodes, clock: systemClock });
  const objects = await listed;
  const network = createProcessNetwork(sandbox, objects, dns.clusterDomain);
  const proxy = new Proxy({ objects, network, reporter, nodes, ownAddresses: [], dnsAddress: dns.address, signal });
  await proxy.settled();
  return sandbox;
}

/** The API server is on the host's network; its Unix socket is the way there, and TLS passes through as it is. */
async function relayApi(apiSocket: string, host: string, signal: AbortSignal): Promise<void> {
  const relay = createServer((inside) => {
    const outside = connect(apiSocket);
    inside.pipe(outside).pipe(inside);
    for (const socket of [inside, outside]) {
      socket.on("error", () => [inside, outside].forEach((each) => each.destroy()));
    }
  });
  signal.addEventListener("abort", () => relay.close(), { once: true });
  await listening(relay, { host, port: 443 });
}
