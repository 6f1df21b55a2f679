import { deepEqual, type Job, type JobCondition, type JobStatus, type Pod } from "@dhow/kube";
import { findCondition, withCondition } from "../conditions.ts";
import { kinds } from "../kinds.ts";
import type { EventRecorder } from "../manager/events.ts";
import { Expectations } from "../manager/expectations.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, millisecondsOf, splitKey, timestamp, uidOf } from "../objects.ts";
import { claim } from "../ownership.ts";
import { ownedPods, type OwnedIndex } from "../owned-pods.ts";
import { PodControl } from "../pod-control.ts";
import { isPodActive, isPodReady } from "../pods.ts";
import { labelSelectorMatcher } from "../selectors.ts";
import {
  failedByPolicy,
  final,
  interim,
  isFinished,
  jobCondition,
  recorded,
  succeededByPolicy,
  type Verdict,
  verdicts,
} from "./conditions.ts";
import { failJobMessage, matchFailure } from "./failure-policy.ts";
import { failedIndexes, hasLimitPerIndex, lastFailures } from "./index-failures.ts";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import { indexOf, isIndexed, isTracked, outcomeOf, releasePod, restartsExceed } from "./pods.ts";
import { JobScale } from "./scale.ts";

/** Runs pods until enough of them have succeeded, and counts each of them once (pkg/controller/job/job_controller.go). */
export class JobReconciler {
  readonly expectations: Expectations;
  readonly #manager: Manager;
  readonly #recorder: EventRecorder;
  readonly #pods: OwnedIndex<Pod>;
  readonly #scale: JobScale;

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#recorder = manager.recorder("job-controller");
    this.#pods = ownedPods(manager);
    this.expectations = new Expectations(manager.clock);
    this.#scale = new JobScale(new PodControl(manager.client, this.#recorder), this.expectations);
  }

  async reconcile(key: string): Promise<number | void> {
    const { namespace, name } = splitKey(key);
    const job = this.#manager.informer(kinds.job).get(namespace, name);
    if (!job) {
      this.expectations.forget(key);
      return;
    }
    if (job.spec?.managedBy && job.spec.managedBy !== "kubernetes.io/job-controller") return;
    const upToDate = this.expectations.satisfied(key);
    const pods = await claim({
      client: this.#manager.client,
      owner: job,
      matches: labelSelectorMatcher(job.spec?.selector),
      candidates: this.#pods.candidates(job),
    });
    if (isFinished(job) || isDeleting(job)) {
      await this.#release(pods.filter((pod) => isTracked(pod)));
      return;
    }
    return this.#sync(job, pods, upToDate);
  }

  async #sync(job: Job, pods: readonly Pod[], upToDate: boolean): Promise<number | void> {
    const counted = await this.#count(job, pods);
    const started = this.#suspendOrResume(counted);
    const verdict = this.#verdict(started, pods);
    const active = pods.filter(isPodActive);
    let wait: number | undefined;
    let left = active.length;
    let leaving = 0;
    if (verdict || (upToDate && started.spec?.suspend)) {
      leaving = await this.#scale.deleteAll(job, active);
      left -= leaving;
    } else if (upToDate) {
      ({ active: left, wait } = await this.#scale.adjust(started, pods, this.#manager.clock.now()));
    }
    const status = this.#status(started, pods, { active: left, leaving }, verdict);
    await this.#write(job, counted, status, verdict);
    const deadline = this.#deadline(started);
    return wait !== undefined || deadline !== undefined
      ? Math.min(wait ?? Infinity, deadline ?? Infinity) + 10
      : undefined;
  }

  /** Counts pods that ended: noted in the status first, then let go, then counted for good, so that a crash in between loses none. */
  async #count(job: Job, pods: readonly Pod[]): Promise<Job> {
    const before = job.status ?? {};
    const noted = before.uncountedTerminatedPods ?? {};
    const uncounted = { succeeded: new Set(noted.succeeded), failed: new Set(noted.failed) };
    const kept = new Set(lastFailures(job, pods).values());
    const ending = pods.filter((pod) => isTracked(pod) && !kept.has(pod) && (outcomeOf(pod) || countsAsGone(job, pod)));
    for (const pod of ending) {
      // What a suspended Job deletes has not failed.
      const outcome = outcomeOf(pod) ?? (job.spec?.suspend ? undefined : "failed");
      const ignored = outcome === "failed" && matchFailure(job, pod).action === "Ignore";
      if (outcome && !ignored) uncounted[outcome].add(uidOf(pod));
    }
    if (uncounted.succeeded.size + uncounted.failed.size === 0) {
      await this.#release(ending);
      return withFailedIndexes(job, pods);
    }
    let current = job;
    if (ending.length > 0) {
      const uncountedTerminatedPods = listed(uncounted.succeeded, uncounted.failed);
      const status = { ...before, uncountedTerminatedPods };
      if (!deepEqual(status, before)) current = await this.#manager.client.updateStatus<Job>({ ...job, status });
      await this.#release(ending);
    }
    const indexes = this.#completed(job, pods);
    const succeeded = isIndexed(job) ? indexes.size : (before.succeeded ?? 0) + uncounted.succeeded.size;
    const counted: Job = {
      ...current,
      status: {
        ...current.status,
        uncountedTerminatedPods: {},
        ...(succeeded > 0 ? { succeeded } : {}),
        ...(isIndexed(job) && indexes.size > 0 ? { completedIndexes: formatIndexes(indexes) } : {}),
        ...(uncounted.failed.size > 0 ? { failed: (before.failed ?? 0) + uncounted.failed.size } : {}),
      },
    };
    return withFailedIndexes(counted, pods);
  }

  #completed(job: Job, pods: readonly Pod[]): Set<number> {
    const completions = job.spec?.completions ?? 0;
    const indexes = parseIndexes(job.status?.completedIndexes, completions);
    for (const pod of pods) {
      const index = indexOf(pod);
      if (outcomeOf(pod) === "succeeded" && index !== undefined && index < completions) indexes.add(index);
    }
    return indexes;
  }

  async #release(pods: readonly Pod[]): Promise<void> {
    await Promise.all(pods.map((pod) => releasePod(this.#manager.client, pod)));
  }

  #suspendOrResume(job: Job): Job {
    const { clock } = this.#manager;
    const status: JobStatus = { ...job.status };
    const suspended = findCondition(status.conditions, "Suspended");
    if (job.spec?.suspend) {
      if (suspended?.status === "True") return job;
      const next = jobCondition(clock, "Suspended", "True", "JobSuspended", "Job suspended");
      this.#recorder.event(job, "Normal", "Suspended", "Job suspended");
      const { startTime: _, ...rest } = status;
      return { ...job, status: { ...rest, conditions: withCondition(status.conditions, next) } };
    }
    if (suspended?.status === "True") {
      const next = jobCondition(clock, "Suspended", "False", "JobResumed", "Job resumed");
      this.#recorder.event(job, "Normal", "Resumed", "Job resumed");
      status.conditions = withCondition(status.conditions, next);
      status.startTime = timestamp(clock);
    }
    status.startTime ??= timestamp(clock);
    return { ...job, status };
  }

  #verdict(job: Job, pods: readonly Pod[]): Verdict | undefined {
    const { completions, parallelism = 1, backoffLimit = 6 } = job.spec ?? {};
    const { succeeded = 0, failed = 0, conditions = [] } = job.status ?? {};
    const before = recorded(conditions);
    if (before) return before;
    const fatal = failJobMessage(job, pods);
    if (fatal) return failedByPolicy(fatal);
    if (failed > backoffLimit || restartsExceed(job, pods)) return verdicts.backOff;
    if ((this.#deadline(job) ?? 1) <= 0) return verdicts.deadline;
    const ofIndexes = indexVerdict(job);
    if (ofIndexes) return ofIndexes;
    const active = pods.filter(isPodActive).length;
    const done =
      completions === undefined ? succeeded > 0 && active === 0 && parallelism >= 0 : succeeded >= completions;
    return done && !job.spec?.suspend ? verdicts.completed : undefined;
  }

  /** Milliseconds until activeDeadlineSeconds is over. */
  #deadline(job: Job): number | undefined {
    const { activeDeadlineSeconds, suspend } = job.spec ?? {};
    if (activeDeadlineSeconds === undefined || suspend || !job.status?.startTime) return undefined;
    return millisecondsOf(job.status.startTime) + activeDeadlineSeconds * 1000 - this.#manager.clock.now();
  }

  /** `leaving` pods were deleted just now, and still look active in `pods`. */
  #status(
    job: Job,
    pods: readonly Pod[],
    { active, leaving }: { active: number; leaving: number },
    verdict: Verdict | undefined,
  ): JobStatus {
    const { clock } = this.#manager;
    const terminating = pods.filter((pod) => isDeleting(pod) && !outcomeOf(pod)).length + leaving;
    const conditions: JobCondition[] = job.status?.conditions ?? [];
    const { active: _, ready: __, terminating: ___, ...rest } = job.status ?? {};
    const status: JobStatus = {
      ...rest,
      ...(active > 0 ? { active } : {}),
      ready: pods.filter((pod) => isPodActive(pod) && isPodReady(pod)).length,
      terminating,
      uncountedTerminatedPods: rest.uncountedTerminatedPods ?? {},
    };
    if (verdict) {
      status.conditions = withCondition(conditions, interim(clock, verdict));
      const ended = active === 0 && terminating === 0;
      if (ended) {
        status.conditions = withCondition(status.conditions, final(clock, verdict));
        if (verdict.good) status.completionTime = timestamp(clock);
      }
    }
    return status;
  }

  async #write(job: Job, current: Job, status: JobStatus, verdict: Verdict | undefined): Promise<void> {
    if (deepEqual(job.status, status)) return;
    const resourceVersion = current.metadata.resourceVersion ?? "";
    await this.#manager.client.updateStatus<Job>({ ...job, metadata: { ...job.metadata, resourceVersion }, status });
    if (!verdict || !isFinished({ ...job, status })) return;
    if (verdict.good) this.#recorder.event(job, "Normal", "Completed", "Job completed");
    else this.#recorder.event(job, "Warning", verdict.reason, verdict.message);
  }
}

function withFailedIndexes(job: Job, pods: readonly Pod[]): Job {
  if (!hasLimitPerIndex(job)) return job;
  return { ...job, status: { ...job.status, failedIndexes: formatIndexes(failedIndexes(job, pods)) } };
}

/** How an Indexed Job ends by its failed indexes, or well by its successPolicy. */
function indexVerdict(job: Job): Verdict | undefined {
  if (!isIndexed(job)) return undefined;
  const { completions = 0, maxFailedIndexes = Number.POSITIVE_INFINITY } = job.spec ?? {};
  const failed = parseIndexes(job.status?.failedIndexes, completions).size;
  if (failed > maxFailedIndexes) return verdicts.tooManyFailedIndexes;
  if (failed > 0 && failed + (job.status?.succeeded ?? 0) >= completions) return verdicts.failedIndexes;
  return succeededByPolicy(job);
}

function listed(
  succeeded: ReadonlySet<string>,
  failed: ReadonlySet<string>,
): NonNullable<JobStatus["uncountedTerminatedPods"]> {
  return {
    ...(succeeded.size > 0 ? { succeeded: [...succeeded] } : {}),
    ...(failed.size > 0 ? { failed: [...failed] } : {}),
  };
}

/** A pod that is deleted before it ended will never end by itself: it is a failure, unless only failed pods are to be replaced (isPodFailed). */
function countsAsGone(job: Job, pod: Pod): boolean {
  return isDeleting(pod) && job.spec?.podReplacementPolicy !== "Failed";
}
