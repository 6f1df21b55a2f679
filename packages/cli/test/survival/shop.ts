// A small system that is killed over and over: what runs for it, and whether all of it is well.
import assert from "node:assert/strict";
import { chmodSync, chownSync } from "node:fs";
import type { KubeClient, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { clusterFolder, commandsOf, connect, freePort, greeter, Running, type User } from "../fixture.ts";
import { controlGroups, footprint, type Footprint, groupsLeft, leftovers, stillRunning } from "../footprint.ts";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/" });
  return [ingress("shop", { routes: { "/": api } })];
});
`;

export const namespace = "shop";

/** How long a killed system may take to be well again, on a machine with much else to do (milliseconds). */
const patience = 120_000;

/** What ran at one moment. */
export interface Snapshot {
  readonly seen: Footprint;
  readonly groups: readonly string[];
  /** Container ids, restart counts, and the processes of the pods' programs. */
  readonly pods: unknown;
}

export interface ShopOptions {
  /** For `dhow up`. */
  readonly words?: readonly string[];
  /** Who runs it; whoever runs the tests unless said. */
  readonly user?: User;
}

export class Shop {
  readonly port: number;
  readonly #folder: ReturnType<typeof clusterFolder>;
  readonly #options: ShopOptions;
  #running: Running | undefined;
  #connection: ReturnType<typeof connect> | undefined;

  private constructor(port: number, options: ShopOptions) {
    this.port = port;
    this.#options = options;
    this.#folder = clusterFolder({ "system.ts": description, "api/src/main.ts": greeter("hello") });
    // Where pods are plain processes of other users, they read their source as it lies.
    chmodSync(this.folder, 0o755);
    if (options.user) chownSync(this.folder, options.user.uid, options.user.gid);
  }

  static async open(options: ShopOptions): Promise<Shop> {
    return new Shop(await freePort(), options);
  }

  get folder(): string {
    return this.#folder.path;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  get client(): KubeClient {
    if (!this.#connection) throw new Error("the cluster has not been started");
    return this.#connection.client;
  }

  get output(): string {
    return this.#running?.output ?? "";
  }

  /** The process of `dhow up`. */
  get host(): number {
    return this.#running?.process.pid ?? 0;
  }

  /** `dhow up`, until everything is ready. */
  async up(): Promise<void> {
    this.#connection?.[Symbol.dispose]();
    const { words = [], user } = this.#options;
    this.#running = new Running(this.folder, ["up", "--port", String(this.port), ...words], user);
    await this.#running.said(/export KUBECONFIG=/, patience);
    this.#connection = connect(this.folder);
  }

  /** Resolves when the process of `dhow up` has ended. */
  async ended(): Promise<void> {
    await this.#running?.ended;
  }

  /** The processes whose command names this program: it, and for the agent those that hold its world. */
  pidsOf(program: string): number[] {
    return [...this.#footprint().processes.keys()].filter((pid) =>
      commandsOf(pid).some((word) => word.endsWith(program)),
    );
  }

  #footprint(): Footprint {
    return footprint(this.folder, { uid: this.#options.user?.uid });
  }

  async pods(): Promise<readonly Pod[]> {
    return (await this.client.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace })).items;
  }

  async snapshot(): Promise<Snapshot> {
    const seen = this.#footprint();
    return { seen, groups: controlGroups(seen), pods: await this.#podsNow(seen) };
  }

  async #podsNow(seen: Footprint) {
    const programs = [...seen.processes].filter(([pid]) => isProgram(pid)).sort(([a], [b]) => a - b);
    const pods = (await this.pods()).map(({ metadata, status }) => [
      metadata.name,
      status?.containerStatuses?.map(({ containerID, restartCount }) => [containerID, restartCount]),
    ]);
    return { pods, programs };
  }

  /** Throws unless the pods and their processes are those of the snapshot. */
  async untouched({ pods }: Snapshot): Promise<true> {
    assert.deepEqual(await this.#podsNow(this.#footprint()), pods);
    return true;
  }

  /** Resolves when another process than these runs the program. */
  async startedAgain(program: string, old: readonly number[]): Promise<void> {
    await eventually(() => this.pidsOf(program).some((pid) => !old.includes(pid)), patience);
  }

  /** Resolves when both pods run containers that are not those of the snapshot, are ready, and are reached through the entry point. */
  async podsRunAgain(before: Snapshot): Promise<void> {
    const old = JSON.stringify(before.pods);
    await eventually(async () => {
      const pods = await this.pods();
      const fresh = pods.filter(
        ({ status }) =>
          status?.containerStatuses?.every(({ containerID }) => containerID && !old.includes(containerID)) &&
          status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      );
      return pods.length === 2 && fresh.length === 2;
    }, patience);
    await eventually(async () => (await (await fetch(this.url)).text()).startsWith("hello from "), patience);
  }

  /** Resolves when nothing of the snapshot's agent is left: a line for each thing that is, otherwise. */
  async agentIsGone({ seen, groups }: Snapshot, agents: readonly number[]): Promise<string[]> {
    const of = new Map([...seen.processes].filter(([pid]) => isProgram(pid) || agents.includes(pid)));
    return settled(() => [...stillRunning(of), ...groupsLeft(groups)]);
  }

  /** The same for everything that was there. */
  everythingIsGone({ seen, groups }: Snapshot): Promise<string[]> {
    return settled(() => [...leftovers(seen), ...groupsLeft(groups)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.[Symbol.dispose]();
    await this.#running?.[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** Whether it is the program of a pod. */
function isProgram(pid: number): boolean {
  return commandsOf(pid).some((word) => word.endsWith("src/main.ts"));
}

/** What is found once it does not get less any more. */
async function settled(look: () => string[]): Promise<string[]> {
  let found = look();
  for (const end = Date.now() + 10_000; found.length > 0 && Date.now() < end; found = look())
    await new Promise((resolve) => setTimeout(resolve, 50));
  return found;
}
