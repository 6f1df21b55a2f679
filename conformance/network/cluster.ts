import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@dhow/base";
import type { EndpointSlice, Namespace, NetworkPolicy, Pod, Service } from "@dhow/kube";
import { type Network, Proxy, type Sandbox } from "@dhow/node";
import { HeldCollection } from "@dhow/testkit";
import { guestsOnly, namespaceObject, podObject, serviceObject, sliceObject } from "./objects.ts";
import { programs } from "./programs/all.ts";
import { Suite, type SuiteOptions } from "./suite.ts";

/** What every run of the suite has: two nodes, and objects that no API server holds. */
export const dnsAddress = "10.96.0.10";
export const serviceCidr = "10.96.0.0/16";
export const nodes = [
  { name: "node-1", address: "10.250.0.11", podCidr: "10.244.1.0/24" },
  { name: "node-2", address: "10.250.0.12", podCidr: "10.244.2.0/24" },
];
export const signal = new AbortController().signal;

export function clusterObjects() {
  return {
    services: new HeldCollection<Service>(),
    endpointSlices: new HeldCollection<EndpointSlice>(),
    policies: new HeldCollection<NetworkPolicy>(),
    namespaces: new HeldCollection<Namespace>(),
    pods: new HeldCollection<Pod>(),
  };
}

export interface Trial extends Pick<SuiteOptions, "repository" | "port" | "limit"> {
  readonly sandbox: Sandbox;
  readonly network: Network;
  readonly objects: ReturnType<typeof clusterObjects>;
}

/** Runs the whole table over one sandbox and tells each outcome over IPC. */
export async function trySandbox({ sandbox, network, objects, ...trial }: Trial): Promise<void> {
  const proxy = new Proxy({
    objects,
    network,
    reporter: silent,
    nodes,
    ownAddresses: [dnsAddress],
    dnsAddress,
    signal,
  });
  for (const name of ["default", "kube-system"]) objects.namespaces.put(namespaceObject(name));
  for (const [index, program] of programs.entries()) {
    objects.services.put(serviceObject(nameOf(program.name), `10.96.1.${index + 1}`, 80));
    objects.policies.put(guestsOnly(nameOf(program.name)));
  }
  const addPod = (name: string, app: string, address: string, labels: Record<string, string>): Promise<void> => {
    objects.pods.put(podObject(name, { app, ...labels }, address));
    if (name === `${app}-a`) objects.endpointSlices.put(sliceObject(app, [address], trial.port));
    return proxy.settled();
  };
  const folder = mkdtempSync(join(tmpdir(), "dhow-conformance-"));
  process.send?.({ folder });
  const suite = new Suite({ ...trial, sandbox, folder, addPod });
  await proxy.settled();
  await suite.startClients();
  const upstream = nameOf(programs[0]?.name ?? "");
  for (const program of programs) await suite.tryProgram(program, nameOf(program.name), upstream);
  process.send?.({ done: true, capabilities: sandbox.capabilities });
}

/** As a Service may be called. */
function nameOf(program: string): string {
  return program.toLowerCase().replace(/[^a-z]+/g, "-");
}
