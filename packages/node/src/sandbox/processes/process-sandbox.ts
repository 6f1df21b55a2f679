import { randomInt } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Clock } from "@dhow/base";
import { AddressRange } from "../addresses.ts";
import { MemoryWatch } from "../memory-watch.ts";
import { PipeMaker } from "../pipes.ts";
import type {
  ContainerConfig,
  ContainerProcess,
  Mount,
  PodConfig,
  PodSandbox,
  Sandbox,
  SandboxCapabilities,
} from "../sandbox.ts";
import { Guard } from "./guard.ts";
import { ProcessContainer } from "./process-container.ts";
import { translateContainer } from "./translate.ts";

export interface ProcessSandboxOptions {
  /** For what pods write outside of their volumes, and for the routes that Node programs read. */
  readonly folder: string;
  readonly nodes: readonly { readonly name: string }[];
  readonly clock: Clock;
}

/** What takes the place of Services in the kernel and of DNS, for Node programs. */
export interface ProcessRoutes {
  /** Full names in lower case, such as `web.default.svc.cluster.local`, to addresses. */
  readonly names: Readonly<Record<string, string>>;
  /** `address:port` of a Service to the pods that answer. */
  readonly fronts: Readonly<Record<string, readonly { readonly address: string; readonly port: number }[]>>;
}

export interface ProcessSandbox extends Sandbox {
  setRoutes(routes: ProcessRoutes): void;
}

/**
 * Pods as plain processes, for machines that allow no namespaces. Each pod has an address of its own in 127.0.0.0/8 on Linux, and 127.0.0.1
 * elsewhere. Node programs find each other as in a cluster, by a preload; other programs have to be told DHOW_POD_ADDRESS by their own settings.
 */
export function createProcessSandbox(options: ProcessSandboxOptions): ProcessSandbox {
  return new PlainSandbox(options);
}

const preload = new URL("preload.mjs", import.meta.url).href;

class PlainSandbox implements ProcessSandbox {
  readonly capabilities: SandboxCapabilities = {
    isolation: "processes",
    networkPolicy: false,
    runAsUser: process.getuid?.() === 0,
    readOnlyRoot: false,
    memoryLimit: "watched",
    cpuLimit: false,
    notes: [
      "This machine allows no namespaces: pods are plain processes. NetworkPolicy and read-only roots are not enforced, and volumes are found by paths in arguments and environment only.",
    ],
  };
  readonly #options: ProcessSandboxOptions;
  readonly #ranges: ReadonlyMap<string, AddressRange>;
  readonly #guard: Guard;
  readonly #memoryWatch: MemoryWatch;
  readonly #pipes: PipeMaker;
  readonly #pods = new Set<PlainPod>();

  constructor(options: ProcessSandboxOptions) {
    this.#options = options;
    // What an agent that was killed has left: pipes by the names that this one gives, folders of pods that have ended.
    rmSync(options.folder, { recursive: true, force: true });
    mkdirSync(options.folder, { recursive: true });
    // A block of its own, since all clusters of the machine share the loopback; 127.0.0.0/16 is the machine's.
    const block = randomInt(1, 255);
    const rangeOf = (index: number) => new AddressRange(`127.${block}.${index + 1}.0/24`);
    this.#ranges = new Map(options.nodes.map(({ name }, index) => [name, rangeOf(index)]));
    this.#guard = new Guard();
    this.#memoryWatch = new MemoryWatch(options.clock);
    mkdirSync(join(options.folder, "pipes"), { recursive: true });
    this.#pipes = new PipeMaker(join(options.folder, "pipes"));
  }

  async createPod(config: PodConfig): Promise<PodSandbox> {
    const range = this.#ranges.get(config.nodeName);
    if (range === undefined) throw new Error(`${config.nodeName} is not a node of this agent`);
    const own = process.platform === "linux" ? range.take() : "127.0.0.1";
    const pod = new PlainPod(own, config, {
      folder: join(this.#options.folder, config.uid),
      routesFile: this.#routesFile,
      guard: this.#guard,
      pipes: this.#pipes,
      memoryWatch: this.#memoryWatch,
      removed: () => {
        range.give(own);
        this.#pods.delete(pod);
      },
    });
    this.#pods.add(pod);
    return pod;
  }

  setRoutes(routes: ProcessRoutes): void {
    writeFileSync(`${this.#routesFile}.new`, JSON.stringify(routes));
    renameSync(`${this.#routesFile}.new`, this.#routesFile);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pods].map((pod) => pod.remove()));
    this.#guard.close();
  }

  get #routesFile(): string {
    return join(this.#options.folder, "routes.json");
  }
}

interface PlainPodOptions {
  readonly folder: string;
  readonly routesFile: string;
  readonly guard: Guard;
  readonly pipes: PipeMaker;
  readonly memoryWatch: MemoryWatch;
  readonly removed: () => void;
}

class PlainPod implements PodSandbox {
  readonly address: string;
  readonly #config: PodConfig;
  readonly #options: PlainPodOptions;
  readonly #containers = new Set<ProcessContainer>();

  constructor(address: string, config: PodConfig, options: PlainPodOptions) {
    this.address = address;
    this.#config = config;
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
  }

  async start(config: ContainerConfig): Promise<ContainerProcess> {
    if (config.root !== "host")
      throw new Error("an image's own root needs namespaces, which this machine does not allow");
    const { guard, pipes, memoryWatch, routesFile } = this.#options;
    const memoryFolder = join(this.#options.folder, config.id);
    const memory = config.memoryMounts.map(({ target }, index) => memoryMount(memoryFolder, target, index));
    const env = {
      ...config.env,
      HOSTNAME: this.#config.hostname,
      DHOW_POD_ADDRESS: this.address,
      DHOW_POD_NAMESPACE: this.#config.namespace,
      DHOW_ROUTES: routesFile,
      NODE_OPTIONS: [config.env["NODE_OPTIONS"], `--import=${preload}`].filter(Boolean).join(" "),
    };
    const own = { ...config, env };
    const translated = translateContainer(own, [...config.mounts, ...memory]);
    const container = await ProcessContainer.start({ config: own, translated, guard, pipes, memoryWatch });
    this.#containers.add(container);
    void container.exited.then(() => {
      this.#containers.delete(container);
      // Memory is gone with the run.
      rmSync(memoryFolder, { recursive: true, force: true });
    });
    return container;
  }

  /** The pod has no loopback of its own: its servers listen at its address. */
  connect(port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.address, port, allowHalfOpen: true }, () => resolve(socket));
      socket.once("error", reject);
    });
  }

  async remove(): Promise<void> {
    for (const container of this.#containers) container.kill("SIGKILL");
    await Promise.all([...this.#containers].map(({ exited }) => exited));
    rmSync(this.#options.folder, { recursive: true, force: true });
    this.#options.removed();
  }
}

function memoryMount(folder: string, target: string, index: number): Mount {
  const source = join(folder, `memory${index}`);
  mkdirSync(source, { recursive: true, mode: 0o1777 });
  return { source, target, readOnly: false };
}
