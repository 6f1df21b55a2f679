import type { Job, Pod } from "@dhow/kube";
import { outcomeOf } from "./pods.ts";

type Rule = NonNullable<NonNullable<Job["spec"]>["podFailurePolicy"]>["rules"][number];
type ExitCodes = NonNullable<Rule["onExitCodes"]>;

/** What a Job's podFailurePolicy says of a pod that failed: the action of the first rule that matches; without one the failure counts as ever. */
export interface FailureMatch {
  readonly action: "Count" | "Ignore" | "FailIndex" | "FailJob";
  /** For FailJob: why, as the Job's condition says it. */
  readonly message: string;
}

/** pkg/controller/job/pod_failure_policy.go, matchPodFailurePolicy. */
export function matchFailure(job: Job, pod: Pod): FailureMatch {
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = rule.onExitCodes ? exitCodeMatch(rule.onExitCodes, pod) : conditionMatch(rule, pod);
    if (why === undefined) continue;
    const { action } = rule;
    return { action, message: `${why} matching ${action} rule at index ${index}` };
  }
  return { action: "Count", message: "" };
}

/** Why the whole Job fails, where a rule wants that for one of its pods. */
export function failJobMessage(job: Job, pods: readonly Pod[]): string | undefined {
  if (!job.spec?.podFailurePolicy) return undefined;
  for (const pod of pods) {
    if (outcomeOf(pod) !== "failed") continue;
    const { action, message } = matchFailure(job, pod);
    if (action === "FailJob") return message;
  }
  return undefined;
}

function exitCodeMatch({ containerName, operator, values }: ExitCodes, { metadata, status }: Pod): string | undefined {
  for (const { name, state } of [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]) {
    const code = state?.terminated?.exitCode;
    // 0 is no failure, whatever the rule asks for.
    if (!code || (containerName && containerName !== name)) continue;
    if (values.includes(code) !== (operator === "In")) continue;
    return `Container ${name} for pod ${metadata.namespace}/${metadata.name} failed with exit code ${code}`;
  }
  return undefined;
}

function conditionMatch({ onPodConditions = [] }: Rule, { metadata, status }: Pod): string | undefined {
  for (const pattern of onPodConditions) {
    const found = (status?.conditions ?? []).find(({ type }) => type === pattern.type);
    if (!found || found.status !== pattern.status) continue;
    return `Pod ${metadata.namespace}/${metadata.name} has condition ${found.type}`;
  }
  return undefined;
}
