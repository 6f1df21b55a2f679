import type { Job, Pod } from "@dhow/kube";
import type { Expectations } from "../manager/expectations.ts";
import { isDeleting, keyOf, uidOf } from "../objects.ts";
import { type PodControl, slowStart } from "../pod-control.ts";
import { inVictimOrder, isPodActive } from "../pods.ts";
import { failureAnnotations, hasLimitPerIndex, lastFailures, remainingOfIndex } from "./index-failures.ts";
import { freeIndexes, parseIndexes } from "./indexes.ts";
import { buildPod, indexOf, isIndexed, outcomeOf, remainingBackOff, surplusOf } from "./pods.ts";

/** At most so many pods at once (MaxPodCreateDeletePerSync). */
const burst = 500;

/** As many pods should run as parallelism allows and completions still need. */
export function wantedActive(job: Job, active: number): number {
  const { parallelism = 1, completions } = job.spec ?? {};
  const { succeeded = 0, failedIndexes } = job.status ?? {};
  // Without a number of completions, one success means that no more pods are started.
  if (completions === undefined) return succeeded > 0 ? Math.min(active, parallelism) : parallelism;
  const failed = parseIndexes(failedIndexes, completions).size;
  return Math.max(Math.min(parallelism, completions - succeeded - failed), 0);
}

/** Creates and deletes a Job's pods (manageJob). */
export class JobScale {
  readonly #control: PodControl;
  readonly #expectations: Expectations;

  constructor(control: PodControl, expectations: Expectations) {
    this.#control = control;
    this.#expectations = expectations;
  }

  /** Gives how many are active afterwards, and for how many milliseconds others that are needed have to wait for the back-off. */
  async adjust(job: Job, pods: readonly Pod[], now: number): Promise<{ active: number; wait: number | undefined }> {
    const active = pods.filter(isPodActive);
    const wanted = wantedActive(job, active.length);
    if (active.length > wanted) {
      const doubled = isIndexed(job) ? surplusOf(active) : [];
      const ordered = [
        ...doubled,
        ...inVictimOrder(active, active, Date.now()).filter((pod) => !doubled.includes(pod)),
      ];
      const deleted = await this.deleteAll(job, ordered.slice(0, active.length - wanted));
      return { active: active.length - deleted, wait: undefined };
    }
    // A pod that is going still takes its place where only failed pods are to be replaced.
    const going = pods.filter((pod) => isDeleting(pod) && !outcomeOf(pod)).length;
    const leaving = job.spec?.podReplacementPolicy === "Failed" ? going : 0;
    const missing = Math.min(wanted - active.length - leaving, burst);
    if (missing <= 0) return { active: active.length, wait: undefined };
    const last = lastFailures(job, pods);
    const waits = new Map([...last].map(([index, pod]) => [index, remainingOfIndex(pod, now)] as const));
    const backOff = hasLimitPerIndex(job) ? 0 : remainingBackOff(pods, now);
    if (backOff > 0) return { active: active.length, wait: backOff };
    const late = [...waits].filter(([, wait]) => wait > 0);
    const created = await this.#create(job, pods, missing, { last, late: late.map(([index]) => index) });
    return {
      active: active.length + created,
      wait: late.length > 0 ? Math.min(...late.map(([, wait]) => wait)) : undefined,
    };
  }

  async #create(
    job: Job,
    pods: readonly Pod[],
    count: number,
    { last, late }: { last: ReadonlyMap<number, Pod>; late: readonly number[] },
  ): Promise<number> {
    const key = keyOf(job);
    const completions = job.spec?.completions ?? 0;
    let indexes: (number | undefined)[] = Array.from({ length: count }, () => undefined);
    if (isIndexed(job)) {
      const { completedIndexes, failedIndexes } = job.status ?? {};
      const taken = new Set([
        ...late,
        ...parseIndexes(completedIndexes, completions),
        ...parseIndexes(failedIndexes, completions),
      ]);
      for (const pod of pods) {
        const index = indexOf(pod);
        if (index !== undefined && (isPodActive(pod) || outcomeOf(pod) === "succeeded")) taken.add(index);
      }
      indexes = freeIndexes(taken, completions, count);
    }
    this.#expectations.expect(key, indexes.length);
    const { succeeded, error } = await slowStart(indexes.length, async (at) => {
      const index = indexes[at];
      const more = failureAnnotations(job, index === undefined ? undefined : last.get(index));
      await this.#control.create(job, buildPod(job, index, more));
    });
    for (let i = succeeded; i < indexes.length; i++) this.#expectations.created(key);
    if (error !== undefined) throw error;
    return succeeded;
  }

  /** Deletes pods; gives how many. */
  async deleteAll(job: Job, pods: readonly Pod[]): Promise<number> {
    const key = keyOf(job);
    if (pods.length === 0) return 0;
    this.#expectations.expect(key, 0, pods.map(uidOf));
    await Promise.all(
      pods.map(async (pod) => {
        try {
          if (!(await this.#control.delete(job, pod))) this.#expectations.deleted(key, uidOf(pod));
        } catch (error) {
          this.#expectations.deleted(key, uidOf(pod));
          throw error;
        }
      }),
    );
    return pods.length;
  }
}
