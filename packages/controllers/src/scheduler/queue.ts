import type { Clock } from "@dhow/base";
import type { PodInfo } from "./pod-info.ts";

interface Waiting {
  readonly info: PodInfo;
  readonly since: number;
  readonly refusedBy: ReadonlySet<string>;
}

/** What happened, as far as waiting pods care, and which filters it can help with; everything where it says nothing. */
export type ClusterChange = "node" | "pod-gone" | "pod-placed" | "storage" | "namespace";

const helps: Readonly<Record<ClusterChange, ReadonlySet<string> | undefined>> = {
  node: undefined,
  "pod-gone": new Set(["NodeResourcesFit", "NodePorts", "VolumeRestrictions", "InterPodAffinity", "PodTopologySpread"]),
  "pod-placed": new Set(["InterPodAffinity", "PodTopologySpread"]),
  storage: new Set(["VolumeBinding"]),
  namespace: new Set(["InterPodAffinity"]),
};

/** Back-off after failed bindings: 1 s doubling to 10 s (pkg/scheduler/backend/queue). */
const backOff = { first: 1000, most: 10_000 };
/** However little happens, a pod is tried again after this. */
const unschedulableFor = 5 * 60_000;

/** Pods that wait for a node: by priority, then in their order. What fits nowhere waits until something changes that may help it. */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #byPriority = new Map<number, Map<string, PodInfo>>();
  readonly #unschedulable = new Map<string, Waiting>();
  readonly #attempts = new Map<string, number>();
  readonly #timers = new Map<string, () => void>();
  readonly #wake: () => void;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  add(info: PodInfo): void {
    this.#leave(info.key);
    let pods = this.#byPriority.get(info.priority);
    if (!pods) this.#byPriority.set(info.priority, (pods = new Map()));
    pods.set(info.key, info);
    this.#wake();
  }

  /** Forgets a pod: it is gone, or has a node. */
  remove(key: string): void {
    this.#leave(key);
    this.#attempts.delete(key);
  }

  pop(): PodInfo | undefined {
    let highest: number | undefined;
    for (const priority of this.#byPriority.keys()) if (highest === undefined || priority > highest) highest = priority;
    if (highest === undefined) return undefined;
    const pods = this.#byPriority.get(highest);
    for (const [key, info] of pods ?? []) {
      this.#take(highest, key);
      return info;
    }
    return undefined;
  }

  /** The pod fits nowhere as things are. */
  wait(info: PodInfo, refusedBy: ReadonlySet<string>): void {
    this.#unschedulable.set(info.key, { info, since: this.#clock.now(), refusedBy });
  }

  /** The pod has a place, but it could not be given to it; it is tried again a little later. */
  retryLater(info: PodInfo): void {
    const attempts = (this.#attempts.get(info.key) ?? 0) + 1;
    this.#leave(info.key);
    this.#attempts.set(info.key, attempts);
    const cancel = this.#clock.after(Math.min(backOff.first * 2 ** (attempts - 1), backOff.most), () => this.add(info));
    this.#timers.set(info.key, cancel);
  }

  /** A waiting pod itself changed: its new version takes the old one's place. */
  update(info: PodInfo, tryAgain: boolean): void {
    const waiting = this.#unschedulable.get(info.key);
    if (waiting && !tryAgain) this.#unschedulable.set(info.key, { ...waiting, info });
    else if (this.#timers.has(info.key) && !tryAgain) return;
    else this.add(info);
  }

  /** Something changed: the pods that it may help are tried again. */
  changed(change: ClusterChange): void {
    const helped = helps[change];
    for (const { info, refusedBy } of this.#unschedulable.values()) {
      if (!helped || [...refusedBy].some((filter) => helped.has(filter))) this.add(info);
    }
  }

  /** Tries again what has waited very long. */
  flush(): void {
    const before = this.#clock.now() - unschedulableFor;
    for (const { info, since } of this.#unschedulable.values()) if (since < before) this.add(info);
  }

  get length(): number {
    let waiting = this.#unschedulable.size + this.#timers.size;
    for (const pods of this.#byPriority.values()) waiting += pods.size;
    return waiting;
  }

  #take(priority: number, key: string): void {
    const pods = this.#byPriority.get(priority);
    pods?.delete(key);
    if (pods?.size === 0) this.#byPriority.delete(priority);
  }

  #leave(key: string): void {
    this.#unschedulable.delete(key);
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    for (const [priority, pods] of this.#byPriority) if (pods.has(key)) this.#take(priority, key);
  }
}
