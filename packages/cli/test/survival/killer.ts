import { eventually } from "@dhow/testkit";
import type { Moments } from "./moments.ts";
import type { Shop, Snapshot } from "./shop.ts";
import type { Visitors } from "./visitors.ts";
import type { Writers } from "./writers.ts";

const controlPlane = "control-plane/main.ts";
const agent = "agent/main.ts";

/** Who is killed how often, out of a hundred. */
export const victims = {
  "control plane": 70,
  agent: 10,
  "control plane and agent": 8,
  host: 6,
  "host and control plane": 3,
  everything: 3,
} as const;
export type Victim = keyof typeof victims;

/** How long it may take until all of it is well again, on a machine with much else to do (milliseconds). */
const patience = 60_000;

/** Kills, waits until all is well again, and notes what should not be so. */
export class Killer {
  /** What a kill has left behind. */
  readonly left: string[] = [];
  /** Requests that failed while only the control plane was killed. */
  readonly disturbed: string[] = [];
  readonly #killed = new Map<Victim, number>();
  readonly #shop: Shop;
  readonly #writers: Writers;
  readonly #visitors: Visitors;
  readonly #random: Moments;

  constructor(shop: Shop, writers: Writers, visitors: Visitors, random: Moments) {
    this.#shop = shop;
    this.#writers = writers;
    this.#visitors = visitors;
    this.#random = random;
  }

  account(): readonly string[] {
    const kills = [...this.#killed].map(([victim, times]) => `${victim} ${times}`).join(", ");
    return [
      `killed: ${kills}`,
      `${this.left.length} things left behind; ${this.disturbed.length} requests failed while only the control plane was killed`,
    ];
  }

  async survive(victim: Victim): Promise<void> {
    const snapshot = await eventually(() => this.#shop.snapshot(), patience);
    this.#writers.start();
    await sleep(this.#random.between(0, 300));
    if (victim === "control plane") await this.#controlPlane(snapshot);
    else if (victim === "agent" || victim === "control plane and agent") await this.#children(victim, snapshot);
    else await this.#host(victim, snapshot);
    await this.#writers.pause();
    await eventually(() => this.#writers.compare(), patience);
    this.#killed.set(victim, (this.#killed.get(victim) ?? 0) + 1);
  }

  async #controlPlane(snapshot: Snapshot): Promise<void> {
    const failures = this.#visitors.failures.length;
    const first = this.#killControlPlane();
    await this.#shop.startedAgain(controlPlane, first);
    // Now and then the new one, too, before it is ready.
    if (this.#random.next() < 0.15) {
      await sleep(this.#random.between(0, 200));
      const second = this.#killControlPlane();
      await this.#shop.startedAgain(controlPlane, [...first, ...second]);
    }
    await eventually(() => this.#shop.untouched(snapshot), patience);
    this.disturbed.push(...this.#visitors.failures.slice(failures));
  }

  async #children(victim: Victim, snapshot: Snapshot): Promise<void> {
    const agents = this.#shop.pidsOf(agent);
    if (victim !== "agent") this.#killControlPlane();
    this.#killAgent();
    await this.#shop.podsRunAgain(snapshot);
    this.#note(victim, await this.#shop.agentIsGone(snapshot, agents));
  }

  async #host(victim: Victim, snapshot: Snapshot): Promise<void> {
    const host = this.#shop.host;
    if (victim === "everything") this.#killAgent();
    if (victim !== "host") this.#killControlPlane();
    killProcess(host);
    await this.#shop.ended();
    // Where the control plane lives it clears away; where nothing does, the next `up` must.
    if (victim === "host") this.#note(victim, await this.#shop.everythingIsGone(snapshot));
    await this.#shop.up();
    this.#note(`${victim}, after up`, await this.#shop.agentIsGone(snapshot, []));
  }

  #killControlPlane(): readonly number[] {
    const pids = this.#shop.pidsOf(controlPlane);
    for (const pid of pids) killProcess(pid);
    return pids;
  }

  /** The agent itself, or one of the processes that hold its world. */
  #killAgent(): void {
    const pids = this.#shop.pidsOf(agent);
    killProcess(pids[this.#random.between(0, pids.length - 1)] ?? 0);
  }

  #note(when: string, found: readonly string[]): void {
    this.left.push(...found.map((line) => `${when}: ${line}`));
  }
}

export function killProcess(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  if (pid === 0) throw new Error("no such process");
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It may have ended by itself since: with its parent, for one.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
