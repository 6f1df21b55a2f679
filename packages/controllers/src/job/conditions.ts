import type { Clock } from "@dhow/base";
import type { Job, JobCondition } from "@dhow/kube";
import { conditionIs, findCondition } from "../conditions.ts";
import { timestamp } from "../objects.ts";
import { parseIndexes } from "./indexes.ts";

/** How a Job ends. First the interim condition is set and its pods end; then the final one follows (JobPodReplacementPolicy and KEP-4368). */
export interface Verdict {
  readonly good: boolean;
  readonly reason: string;
  readonly message: string;
}

export const verdicts = {
  completed: { good: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods" },
  backOff: { good: false, reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" },
  deadline: { good: false, reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" },
  failedIndexes: { good: false, reason: "FailedIndexes", message: "Job has failed indexes" },
  tooManyFailedIndexes: {
    good: false,
    reason: "MaxFailedIndexesExceeded",
    message: "Job has exceeded the specified maximal number of failed indexes",
  },
} as const satisfies Record<string, Verdict>;

/** A rule of the podFailurePolicy wants the Job to fail. */
export function failedByPolicy(message: string): Verdict {
  return { good: false, reason: "PodFailurePolicy", message };
}

/** Enough of the indexes that matter have succeeded (pkg/controller/job/success_policy.go, matchSuccessPolicy). */
export function succeededByPolicy(job: Job): Verdict | undefined {
  const { successPolicy, completions = 0 } = job.spec ?? {};
  const done = parseIndexes(job.status?.completedIndexes, completions);
  for (const [at, { succeededIndexes, succeededCount }] of (successPolicy?.rules ?? []).entries()) {
    const asked = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions);
    const reached = asked ? [...asked].filter((index) => done.has(index)).length : done.size;
    if (reached < (succeededCount ?? asked?.size ?? completions)) continue;
    return { good: true, reason: "SuccessPolicy", message: `Matched rules at index ${at}` };
  }
  return undefined;
}

export function isFinished(job: Job): boolean {
  const { conditions } = job.status ?? {};
  return conditionIs(conditions, "Complete", "True") || conditionIs(conditions, "Failed", "True");
}

/** The verdict that an interim condition has recorded. */
export function recorded(conditions: readonly JobCondition[]): Verdict | undefined {
  for (const [type, good] of [
    ["SuccessCriteriaMet", true],
    ["FailureTarget", false],
  ] as const) {
    const found = findCondition(conditions, type);
    if (found?.status === "True") return { good, reason: found.reason ?? "", message: found.message ?? "" };
  }
  return undefined;
}

export function jobCondition(
  clock: Clock,
  type: string,
  status: "True" | "False",
  reason: string,
  message: string,
): JobCondition {
  const now = timestamp(clock);
  return { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now };
}

export function interim(clock: Clock, { good, reason, message }: Verdict): JobCondition {
  return jobCondition(clock, good ? "SuccessCriteriaMet" : "FailureTarget", "True", reason, message);
}

export function final(clock: Clock, { good, reason, message }: Verdict): JobCondition {
  return jobCondition(clock, good ? "Complete" : "Failed", "True", reason, message);
}
