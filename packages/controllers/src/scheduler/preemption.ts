import type { PodDisruptionBudget } from "@dhow/kube";
import { isDeleting, millisecondsOf, nameOf, namespaceOf } from "../objects.ts";
import { labelSelectorMatcher } from "../selectors.ts";
import type { NodeState } from "./cluster-state.ts";
import { type Diagnosis, histogram, prepareChecks } from "./decide.ts";
import type { SchedulingWorld } from "./filter.ts";
import type { PodInfo } from "./pod-info.ts";

export interface Preemption {
  readonly node: NodeState;
  readonly victims: readonly PodInfo[];
  readonly violations: number;
}

/** Who has to go for a pod, or why nobody can help it (pkg/scheduler/framework/preemption/preemption.go). */
export function preempt(
  info: PodInfo,
  world: SchedulingWorld,
  diagnosis: Diagnosis,
  budgets: readonly PodDisruptionBudget[],
): { chosen: Preemption } | { reason: string } {
  if (diagnosis.overall !== undefined) return { reason: "not found" };
  const ineligible = whyNot(info, world);
  if (ineligible) return { reason: `no new claims to deallocate, preemption: ${ineligible}` };
  const candidates: Preemption[] = [];
  const reasons: string[] = [];
  for (const [node, refusal] of diagnosis.refusals) {
    const outcome = refusal.preemptable
      ? tryNode(info, world, node, budgets)
      : "Preemption is not helpful for scheduling";
    if (typeof outcome === "string") reasons.push(outcome);
    else candidates.push(outcome);
  }
  const chosen = candidates.sort(byHarm)[0];
  if (chosen) return { chosen };
  const summary = `0/${diagnosis.nodeCount} nodes are available: ${histogram(reasons)}.`;
  return { reason: `no new claims to deallocate, preemption: ${summary}` };
}

function whyNot(info: PodInfo, world: SchedulingWorld): string | undefined {
  if (info.pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = world.cluster.nominated.get(info.key)?.node;
  const leaving = [...(world.cluster.node(nominated ?? "")?.pods.values() ?? [])].some(
    (pod) => pod.priority < info.priority && isDeleting(pod.pod),
  );
  return leaving ? "not eligible due to a terminating pod on the nominated node." : undefined;
}

function fits(info: PodInfo, world: SchedulingWorld, node: NodeState): boolean {
  const prepared = prepareChecks(info, world);
  return "checks" in prepared && prepared.checks.every(({ check }) => check(node) === undefined);
}

/** Takes all less important pods off the node, then puts back as many as will go: the most important and those with a budget first. */
function tryNode(
  info: PodInfo,
  world: SchedulingWorld,
  node: NodeState,
  budgets: readonly PodDisruptionBudget[],
): Preemption | string {
  const candidates = [...node.pods.values()].filter((pod) => pod.priority < info.priority).sort(byImportance);
  if (candidates.length === 0) return "No preemption victims found for incoming pod";
  for (const pod of candidates) node.remove(pod.key);
  try {
    if (!fits(info, world, node)) return "Preemption is not helpful for scheduling";
    const violating = violatingBudgets(candidates, budgets);
    const victims: PodInfo[] = [];
    let violations = 0;
    for (const pod of [
      ...candidates.filter((pod) => violating.has(pod)),
      ...candidates.filter((pod) => !violating.has(pod)),
    ]) {
      node.add(pod);
      if (fits(info, world, node)) continue;
      node.remove(pod.key);
      victims.push(pod);
      if (violating.has(pod)) violations++;
    }
    return { node, victims: victims.sort(byImportance), violations };
  } finally {
    for (const pod of candidates) if (!node.pods.has(pod.key)) node.add(pod);
  }
}

/** More important first: by priority, then whoever started earlier. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b);
}

function startOf({ pod }: PodInfo): number {
  return millisecondsOf(pod.status?.startTime) || Number.MAX_SAFE_INTEGER;
}

function violatingBudgets(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): Set<PodInfo> {
  const left = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  const violating = new Set<PodInfo>();
  for (const pod of pods) {
    for (const budget of budgets) {
      if (namespaceOf(budget) !== pod.namespace || !labelSelectorMatcher(budget.spec?.selector)(pod.labels)) continue;
      if (budget.status?.disruptedPods?.[nameOf(pod.pod)] !== undefined) continue;
      const allowed = (left.get(budget) ?? 0) - 1;
      left.set(budget, allowed);
      if (allowed < 0) violating.add(pod);
    }
  }
  return violating;
}

/** Least harm first (pickOneNodeForPreemption). */
function byHarm(a: Preemption, b: Preemption): number {
  const highest = ({ victims }: Preemption) => Math.max(...victims.map((pod) => pod.priority));
  const sum = ({ victims }: Preemption) => victims.reduce((total, pod) => total + pod.priority + 2 ** 31, 0);
  const earliest = ({ victims }: Preemption) => {
    const most = highest({ victims } as Preemption);
    return Math.min(...victims.filter((pod) => pod.priority === most).map(startOf));
  };
  return (
    a.violations - b.violations ||
    highest(a) - highest(b) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    earliest(b) - earliest(a)
  );
}
