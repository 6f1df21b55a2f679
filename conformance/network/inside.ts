// Runs in a world of its own: makes the cluster of this suite, tries every program there, tells each outcome over IPC, and stays until it is killed.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, silent, systemClock } from "@dhow/base";
import { createNamespaceSandbox, createNetwork, Proxy, startDns } from "@dhow/node";
import type { Namespace, NetworkPolicy, Pod, EndpointSlice, Service } from "@dhow/kube";
import { HeldCollection } from "@dhow/testkit";
import { guestsOnly, namespaceObject, podObject, serviceObject, sliceObject } from "./objects.ts";
import { programs } from "./programs/all.ts";
import { Suite } from "./suite.ts";

const userNamespace = process.argv[2] === "mapped";
const dnsAddress = "10.96.0.10";
const nodes = [
  { name: "node-1", address: "10.250.0.11", podCidr: "10.244.1.0/24" },
  { name: "node-2", address: "10.250.0.12", podCidr: "10.244.2.0/24" },
];
const signal = new AbortController().signal;
const objects = {
  services: new HeldCollection<Service>(),
  endpointSlices: new HeldCollection<EndpointSlice>(),
  policies: new HeldCollection<NetworkPolicy>(),
  namespaces: new HeldCollection<Namespace>(),
  pods: new HeldCollection<Pod>(),
};

async function main(): Promise<void> {
  const sandbox = await createNamespaceSandbox({ nodes, clock: systemClock, userNamespace });
  const ownAddresses = [dnsAddress];
  const network = await createNetwork({ nodes, serviceCidr: "10.96.0.0/16", ownAddresses });
  const proxy = new Proxy({ objects, network, reporter: silent, nodes, ownAddresses, dnsAddress, signal });
  await startDns({ address: dnsAddress, clusterDomain: "cluster.local", objects, reporter: silent, signal });
  for (const name of ["default", "kube-system"]) objects.namespaces.put(namespaceObject(name));
  const folder = mkdtempSync(join(tmpdir(), "dhow-conformance-"));
  process.send?.({ folder });
  const suite = new Suite({ sandbox, folder, addPod, repository: process.argv[3] ?? "" });
  const present = programs.filter((program) => program.missing() === undefined);
  for (const [index, program] of present.entries()) {
    objects.services.put(serviceObject(nameOf(program.name), `10.96.1.${index + 1}`, 80));
    objects.policies.put(guestsOnly(nameOf(program.name)));
  }
  await proxy.settled();

  function addPod(name: string, app: string, address: string, labels: Record<string, string>): Promise<void> {
    objects.pods.put(podObject(name, { app, ...labels }, address));
    if (name === `${app}-a`) objects.endpointSlices.put(sliceObject(app, [address], 80));
    return proxy.settled();
  }

  const upstream = nameOf(programs[0]?.name ?? "");
  await suite.startClients();
  for (const program of programs) await suite.tryProgram(program, nameOf(program.name), upstream);
  process.send?.({ capabilities: sandbox.capabilities, done: true });
}

function nameOf(program: string): string {
  return program.toLowerCase().replace(/[^a-z]+/g, "-");
}

process.on("disconnect", () => process.exit(1));
main().catch((error: unknown) => {
  process.send?.({ failed: error instanceof Error ? error.stack : messageOf(error) }, () => process.exit(1));
});
