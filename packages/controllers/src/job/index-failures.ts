import type { Job, Pod } from "@dhow/kube";
import { isPodActive } from "../pods.ts";
import { matchFailure } from "./failure-policy.ts";
import { parseIndexes } from "./indexes.ts";
import { backOffAfter, finishedAt, indexOf, isTracked, outcomeOf } from "./pods.ts";

// pkg/controller/job/indexed_job_utils.go and backoff_utils.go: backoffLimitPerIndex

/** How often the pods of an index failed before this one; the second counts those that the podFailurePolicy ignores. */
export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
export const ignoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

export function hasLimitPerIndex(job: Job): boolean {
  return job.spec?.backoffLimitPerIndex !== undefined;
}

/** Indexes that are given up, those of the status included. */
export function failedIndexes(job: Job, pods: readonly Pod[]): Set<number> {
  const { completions = 0, backoffLimitPerIndex = 0 } = job.spec ?? {};
  if (!hasLimitPerIndex(job)) return new Set();
  const failed = parseIndexes(job.status?.failedIndexes, completions);
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || index >= completions || outcomeOf(pod) !== "failed") continue;
    const { action } = matchFailure(job, pod);
    const over = action === "Count" && countOf(pod, failureCountAnnotation) >= backoffLimitPerIndex;
    if (action === "FailIndex" || over) failed.add(index);
  }
  return failed;
}

/** The last failed pod of each index that will be tried again. It stays until its successor is there, since it carries the count. */
export function lastFailures(job: Job, pods: readonly Pod[]): Map<number, Pod> {
  const last = new Map<number, Pod>();
  if (!hasLimitPerIndex(job)) return last;
  const given = failedIndexes(job, pods);
  const replaced = new Set(
    pods.filter((pod) => isPodActive(pod) || outcomeOf(pod) === "succeeded").map((pod) => indexOf(pod)),
  );
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || index >= (job.spec?.completions ?? 0)) continue;
    if (outcomeOf(pod) !== "failed" || !isTracked(pod) || given.has(index) || replaced.has(index)) continue;
    const other = last.get(index);
    if (!other || triesOf(other) < triesOf(pod)) last.set(index, pod);
  }
  return last;
}

/** What the next pod of an index carries after `failed`, or as the first of it. */
export function failureAnnotations(job: Job, failed: Pod | undefined): Record<string, string> {
  if (!hasLimitPerIndex(job)) return {};
  if (!failed) return { [failureCountAnnotation]: "0" };
  const ignored = matchFailure(job, failed).action === "Ignore" ? 1 : 0;
  const ignoredBefore = countOf(failed, ignoredCountAnnotation) + ignored;
  return {
    [failureCountAnnotation]: String(countOf(failed, failureCountAnnotation) + 1 - ignored),
    ...(ignoredBefore > 0 ? { [ignoredCountAnnotation]: String(ignoredBefore) } : {}),
  };
}

/** Milliseconds until an index may be tried again. */
export function remainingOfIndex(failed: Pod, now: number): number {
  return Math.max(finishedAt(failed) + backOffAfter(triesOf(failed) + 1) - now, 0);
}

function triesOf(pod: Pod): number {
  return countOf(pod, failureCountAnnotation) + countOf(pod, ignoredCountAnnotation);
}

function countOf({ metadata }: Pod, annotation: string): number {
  return Number(metadata.annotations?.[annotation] ?? 0) || 0;
}
