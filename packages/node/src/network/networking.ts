import type { Clock, Reporter } from "@dhow/base";
import type { KubeClient } from "@dhow/kube";
import { startDns } from "../dns/server.ts";
import { type IngressController, type IngressOptions, startIngress } from "../ingress/ingress.ts";
import type { ProcessSandbox } from "../sandbox/processes/process-sandbox.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { announcingSandbox } from "./announcing-sandbox.ts";
import { startApiRelay } from "./api-relay.ts";
import { createNetwork, type Network } from "./network.ts";
import { type NetworkObjects, watchNetworkObjects } from "./objects.ts";
import { createProcessNetwork } from "./process-network.ts";
import { Proxy } from "./proxy.ts";

export interface NetworkingOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
  readonly sandbox: Sandbox | ProcessSandbox;
  /** Such as 10.96.0.0/16. */
  readonly serviceCidr: string;
  readonly dns: { readonly address: string; readonly clusterDomain: string };
  /** The `kubernetes` Service's address and the Unix socket at which the API server listens with TLS. */
  readonly apiServer: { readonly address: string; readonly port?: number; readonly socketPath: string };
  readonly ingress: Pick<IngressOptions, "publish" | "defaultCertificate" | "ports" | "controller" | "className">;
}

export interface Networking {
  /** What the kubelet is to start pods in: its pods are known to the network from the first packet on. */
  readonly sandbox: Sandbox;
  readonly ingress: IngressController;
  readonly proxy: Proxy;
}

/** Everything between pods: Services, policies, DNS, the way to the API server, and the way in. To be called after the sandbox is made and before the agent starts. */
export async function startNetworking(options: NetworkingOptions): Promise<Networking> {
  const { client, clock, reporter, signal, nodes, sandbox, dns, apiServer } = options;
  const ownAddresses = [dns.address, apiServer.address];
  const [objects, isolated] = await Promise.all([
    watchNetworkObjects(client, { signal, clock }),
    "setRoutes" in sandbox ? undefined : createNetwork({ nodes, serviceCidr: options.serviceCidr, ownAddresses }),
  ]);
  const network = isolated ?? plainNetwork(sandbox, objects, dns.clusterDomain);
  const proxy = new Proxy({ objects, network, reporter, nodes, ownAddresses, dnsAddress: dns.address, signal });
  if (isolated) {
    await Promise.all([
      startDns({ ...dns, objects, reporter, signal }),
      startApiRelay({ ...apiServer, reporter, signal }),
    ]);
  }
  await proxy.settled();
  const ingress = startIngress({ ...options.ingress, objects, client, reporter, signal });
  return { sandbox: announcingSandbox(sandbox, proxy, objects.pods), ingress, proxy };
}

function plainNetwork(sandbox: Sandbox | ProcessSandbox, objects: NetworkObjects, clusterDomain: string): Network {
  if (!("setRoutes" in sandbox)) throw new Error("a sandbox with a network of its own needs no routes");
  return createProcessNetwork(sandbox, objects, clusterDomain);
}
