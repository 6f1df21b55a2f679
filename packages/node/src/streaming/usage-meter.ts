import { type Clock, sleep } from "@dhow/base";
import type { Kubelet } from "../kubelet/kubelet.ts";
import type { PodWorker } from "../kubelet/pod-worker.ts";
import type { RunningContainer } from "../kubelet/running-container.ts";

/** What a container has used up to now, and how fast of late. */
export interface Sample {
  readonly worker: PodWorker;
  readonly running: RunningContainer;
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

/** The same for a whole node; `rate` is undefined where it has been measured only once. */
export interface NodeUsage {
  readonly cpuNanoseconds: number;
  readonly rate: number | undefined;
  readonly memoryBytes: number;
}

interface Mark {
  readonly at: number;
  readonly cpuNanoseconds: number;
}

/** A rate is taken over no less than the first and no more than the second (milliseconds). */
const shortest = 1000;
const longest = 60_000;

/** Measures containers when somebody asks, and only then: a node at rest costs nothing. */
export class UsageMeter {
  readonly #clock: Clock;
  readonly #share: number;
  readonly #nodes = new WeakMap<
    Kubelet,
    { ended: number; running: ReadonlyMap<RunningContainer["process"], number> }
  >();
  /** By what was measured: the process of a container, or the kubelet of a node. */
  readonly #marks = new WeakMap<object, Mark[]>();

  /** `nodes`: how many this process plays, each of which bears its part of what the process itself uses. */
  constructor(clock: Clock, nodes: number) {
    this.#clock = clock;
    this.#share = 1 / nodes;
  }

  /** What a node has used: its pods, those that have ended too, and its part of the agent. As a counter it never falls, and no node uses nothing. */
  node(kubelet: Kubelet, samples: readonly Sample[]): NodeUsage {
    const running = new Map(samples.map((sample) => [sample.running.process, sample.cpuNanoseconds]));
    const known = this.#nodes.get(kubelet) ?? { ended: 0, running };
    const ended = known.ended + total([...known.running].filter(([one]) => !running.has(one)).map(([, used]) => used));
    this.#nodes.set(kubelet, { ended, running });
    const { user, system } = process.cpuUsage();
    const cpuNanoseconds = ended + total([...running.values()]) + Math.round((user + system) * 1000 * this.#share);
    this.#mark(kubelet, cpuNanoseconds);
    return {
      cpuNanoseconds,
      rate: this.#rateOf(kubelet),
      memoryBytes:
        total(samples.map(({ memoryBytes }) => memoryBytes)) + Math.round(process.memoryUsage.rss() * this.#share),
    };
  }

  /** What is running now, and what it has used. */
  async sample(kubelet: Kubelet): Promise<Sample[]> {
    const pairs = kubelet.workers().flatMap((worker) => worker.running().map((running) => ({ worker, running })));
    const samples = await Promise.all(pairs.map((pair) => this.#measure(pair)));
    return samples.filter((sample) => sample !== undefined);
  }

  /** As `sample`, so that `rate` knows an earlier measurement of each: where there is none it takes a second. */
  async sampleTwice(kubelet: Kubelet): Promise<Sample[]> {
    const samples = await this.sample(kubelet);
    const known = this.node(kubelet, samples).rate !== undefined;
    if (known && samples.every((sample) => this.rate(sample) !== undefined)) return samples;
    await sleep(this.#clock, shortest);
    return this.sample(kubelet);
  }

  /** Billionths of a processor since the latest earlier measurement that is not too near. */
  rate({ running }: Sample): number | undefined {
    return this.#rateOf(running.process);
  }

  #rateOf(measured: object): number | undefined {
    const marks = this.#marks.get(measured) ?? [];
    const last = marks.at(-1);
    const earlier = last && marks.findLast(({ at }) => last.at - at >= shortest);
    if (!last || !earlier) return undefined;
    const used = Math.max(0, last.cpuNanoseconds - earlier.cpuNanoseconds);
    return Math.round(used / ((last.at - earlier.at) / 1000));
  }

  #mark(measured: object, cpuNanoseconds: number): void {
    const at = this.#clock.now();
    const marks = (this.#marks.get(measured) ?? []).filter((mark) => at - mark.at <= longest);
    this.#marks.set(measured, [...marks.slice(-20), { at, cpuNanoseconds }]);
  }

  async #measure(pair: Pick<Sample, "worker" | "running">): Promise<Sample | undefined> {
    const { process } = pair.running;
    try {
      const { cpuNanoseconds, workingSetBytes } = await process.usage();
      this.#mark(process, cpuNanoseconds);
      return { ...pair, cpuNanoseconds, memoryBytes: workingSetBytes };
    } catch {
      // It has ended in between.
      return undefined;
    }
  }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
