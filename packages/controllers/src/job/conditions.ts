import type { Clock } from "@dhow/base";
import type { Job, JobCondition } from "@dhow/kube";
import { conditionIs, findCondition } from "../conditions.ts";
import { timestamp } from "../objects.ts";

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
} as const satisfies Record<string, Verdict>;

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
