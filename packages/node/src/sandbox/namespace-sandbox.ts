import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Clock, randomSuffix } from "@dhow/base";
import { AddressRange } from "./addresses.ts";
import { prepareBase } from "./base.ts";
import { openCgroups } from "./cgroups.ts";
import type { ContainerHost } from "./container.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { PipeMaker } from "./pipes.ts";
import { createPod, gateway, type NamespacePod } from "./pod.ts";
import { run } from "./programs.ts";
import type { PodConfig, PodSandbox, Sandbox, SandboxCapabilities } from "./sandbox.ts";
import { prepareTools } from "./tools.ts";

/** One virtual node's part of the network. */
export interface NodeNetwork {
  readonly name: string;
  /** What the pods see as the address of their node, such as 10.250.0.11. */
  readonly address: string;
  /** Such as 10.244.1.0/24. */
  readonly podCidr: string;
}

export interface NamespaceSandboxOptions {
  readonly nodes: readonly NodeNetwork[];
  readonly clock: Clock;
  /** Whether the world was made with a user namespace, as an ordinary user's is. */
  readonly userNamespace: boolean;
  /** By this name what a killed world has left is known again; letters and digits. Unless said, one that no other world has. */
  readonly owner?: string;
  /** Memory-backed scratch space within the world; gone with it. */
  readonly scratch?: string;
}

/** Pods as processes in Linux namespaces. To be called once in a world of its own, see world.ts. */
export async function createNamespaceSandbox(options: NamespaceSandboxOptions): Promise<NamespaceSandbox> {
  const { nodes, clock, userNamespace, owner = randomSuffix(8), scratch = "/run/dhow" } = options;
  for (const name of ["pipes", "pods", "containers"]) mkdirSync(join(scratch, name), { recursive: true });
  const addresses = [gateway, ...nodes.map((node) => node.address)];
  const [base] = await Promise.all([
    prepareBase(scratch),
    run(["ip", "-batch", "-"], addresses.map((address) => `addr add ${address}/32 dev lo\n`).join("")),
  ]);
  const cgroups = userNamespace ? undefined : openCgroups(owner);
  const pipes = new PipeMaker(join(scratch, "pipes"));
  const memoryWatch = new MemoryWatch(clock);
  let tools: Promise<void> | undefined;
  const host = { scratch, base, pipes, cgroups, memoryWatch, userNamespace };
  return new NamespaceSandbox({ ...host, tools: () => (tools ??= prepareTools(base.tools)) }, nodes);
}

class NamespaceSandbox implements Sandbox {
  readonly capabilities: SandboxCapabilities;
  readonly #host: ContainerHost;
  readonly #nodes: ReadonlyMap<string, { readonly address: string; readonly range: AddressRange }>;
  readonly #pods = new Set<NamespacePod>();
  #made = 0;

  constructor(host: ContainerHost, nodes: readonly NodeNetwork[]) {
    this.#host = host;
    this.#nodes = new Map(
      nodes.map(({ name, address, podCidr }) => [name, { address, range: new AddressRange(podCidr) }]),
    );
    this.capabilities = capabilitiesOf(host);
  }

  async createPod(config: PodConfig): Promise<PodSandbox> {
    const node = this.#nodes.get(config.nodeName);
    if (node === undefined) throw new Error(`${config.nodeName} is not a node of this agent`);
    const address = node.range.take();
    const number = (this.#made += 1);
    const removed = () => {
      this.#pods.delete(pod);
      node.range.give(address);
    };
    const place = { host: this.#host, number, address, nodeAddress: node.address, removed };
    const pod = await createPod(place, config).catch((error: unknown) => {
      node.range.give(address);
      throw error;
    });
    this.#pods.add(pod);
    return pod;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pods].map((pod) => pod.remove()));
    this.#host.cgroups?.close();
  }
}

function capabilitiesOf({ cgroups, userNamespace }: ContainerHost): SandboxCapabilities {
  const notes = [];
  if (!cgroups) {
    notes.push(
      userNamespace
        ? "Control groups are root's here: memory is measured four times a second, and a processor limit is not held. As root both are held by the kernel."
        : "No writable control groups: memory is measured four times a second, and a processor limit is not held.",
    );
  }
  if (userNamespace) notes.push("A pod has one user and one group: supplemental groups need root.");
  notes.push("Pods reach each other and the cluster, and nothing outside of this machine.");
  return {
    isolation: "namespaces",
    networkPolicy: true,
    runAsUser: true,
    readOnlyRoot: true,
    memoryLimit: cgroups ? "cgroup" : "watched",
    cpuLimit: cgroups !== undefined,
    notes,
  };
}
