import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type ContainerHost, type NamespaceContainer, startContainer } from "./container.ts";
import type { PodFiles } from "./etc-files.ts";
import { LoopbackConnector } from "./loopback.ts";
import { run } from "./programs.ts";
import type { ContainerConfig, ContainerProcess, PodConfig, PodSandbox } from "./sandbox.ts";

/** The address at which every pod sees the world outside itself; nothing listens there. */
export const gateway = "169.254.1.1";

export interface PodPlace {
  readonly host: ContainerHost;
  /** Unique in the world, and short: an interface's name has at most 15 characters. */
  readonly number: number;
  readonly address: string;
  readonly nodeAddress: string;
  /** Called once, when the address is free again. */
  readonly removed: () => void;
}

/**
 * A pod's network: a namespace, and a pair of virtual interfaces with single addresses and routes, so that what pods say to each other
 * passes the world's forward hook, where policies are.
 */
export async function createPod(place: PodPlace, config: PodConfig): Promise<NamespacePod> {
  const { number, address, nodeAddress } = place;
  const namespace = `pod${number}`;
  const outside = [
    `netns add ${namespace}`,
    `link add ${interfaceName(number)} type veth peer name eth0 netns ${namespace}`,
    `link set ${interfaceName(number)} up`,
    `route add ${address}/32 dev ${interfaceName(number)} src ${nodeAddress}`,
  ];
  const inside = [
    "link set lo up",
    `addr add ${address}/32 dev eth0`,
    "link set eth0 up",
    `route add ${gateway} dev eth0 scope link`,
    `route add default via ${gateway} dev eth0`,
  ];
  await run(["ip", "-batch", "-"], `${outside.join("\n")}\n`);
  await run(["ip", "-n", namespace, "-batch", "-"], `${inside.join("\n")}\n`);
  return new NamespacePod(place, config);
}

function interfaceName(number: number): string {
  return `pod${number}`;
}

export class NamespacePod implements PodSandbox {
  readonly address: string;
  readonly #place: PodPlace;
  readonly #files: PodFiles;
  readonly #folder: string;
  readonly #loopback: LoopbackConnector;
  readonly #containers = new Set<NamespaceContainer>();
  #removing: Promise<void> | undefined;

  constructor(place: PodPlace, config: PodConfig) {
    this.#place = place;
    this.address = place.address;
    this.#folder = join(place.host.scratch, "pods", String(place.number));
    const shm = join(this.#folder, "shm");
    mkdirSync(shm, { recursive: true });
    chmodSync(shm, 0o1777);
    this.#files = { address: place.address, config, shm };
    this.#loopback = new LoopbackConnector(this.#networkNamespace);
  }

  get #networkNamespace(): string {
    return `/run/netns/pod${this.#place.number}`;
  }

  async start(config: ContainerConfig): Promise<ContainerProcess> {
    if (this.#removing) throw new Error("the pod is being removed");
    const { host } = this.#place;
    const place = { host, pod: this.#files, networkNamespace: this.#networkNamespace };
    const container = await startContainer(place, config);
    this.#containers.add(container);
    void container.exited.then(() => this.#containers.delete(container));
    if (this.#removing) container.kill("SIGKILL");
    return container;
  }

  connect(port: number): Promise<Duplex> {
    return this.#loopback.connect(port);
  }

  remove(): Promise<void> {
    return (this.#removing ??= this.#remove());
  }

  async #remove(): Promise<void> {
    const { number, removed } = this.#place;
    this.#loopback.close();
    for (const container of this.#containers) container.kill("SIGKILL");
    await Promise.all([...this.#containers].map(({ exited }) => exited));
    await run(["ip", "-batch", "-"], `link del ${interfaceName(number)}\nnetns del pod${number}\n`);
    rmSync(this.#folder, { recursive: true, force: true });
    removed();
  }
}
