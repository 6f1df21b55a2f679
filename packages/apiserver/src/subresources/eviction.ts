import type { Clock } from "@dhow/base";
import {
  forbidden,
  type KubeObject,
  matchesLabels,
  type Pod,
  type PodDisruptionBudget,
  StatusError,
  timestamp,
  tooManyRequests,
} from "@dhow/kube";
import type { Store } from "../store.ts";

// pkg/registry/core/pod/storage/eviction.go

export interface EvictionContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly dryRun: boolean;
}

const budgets = "poddisruptionbudgets.policy";
/** So many evictions may be on their way that the budget's controller has not counted yet. */
const mostDisrupted = 2000;
const violation = "Cannot evict pod as it would violate the pod's disruption budget.";

/** Asks the pod's disruption budget and takes one disruption from it; throws where there is none left. */
export async function takeDisruption(pod: Pod, context: EvictionContext): Promise<void> {
  if (canIgnoreBudgets(pod)) return;
  const { namespace } = pod.metadata;
  const found = context.store
    .list<PodDisruptionBudget>(budgets, namespace)
    .filter(({ spec }) => spec?.selector && matchesLabels(spec.selector, pod.metadata.labels));
  if (found.length > 1) throw tooManyBudgets();
  const [budget] = found;
  if (!budget || isUnhealthyAndMayGo(pod, budget)) return;
  if (context.dryRun) {
    decremented(budget, pod, context);
    return;
  }
  await context.store.modify(budgets, namespace, budget.metadata.name ?? "", (current) =>
    decremented(current as PodDisruptionBudget, pod, context),
  );
}

/** Notes on the pod why it goes; the caller deletes it then. */
export async function markEvicted({ metadata }: Pod, { clock, store }: EvictionContext): Promise<void> {
  await store.modify("pods", metadata.namespace, metadata.name ?? "", (current) => {
    const pod = current as Pod;
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
    const condition = {
      type: "DisruptionTarget",
      status: "True" as const,
      lastTransitionTime: timestamp(clock.now()),
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    };
    return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
  });
}

function canIgnoreBudgets({ metadata, status }: Pod): boolean {
  const phase = status?.phase;
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || metadata.deletionTimestamp !== undefined;
}

/** A pod that serves nobody may go where enough others do, or where the budget says so. */
function isUnhealthyAndMayGo({ status: podStatus }: Pod, { spec, status }: PodDisruptionBudget): boolean {
  const ready = podStatus?.conditions?.some(({ status, type }) => type === "Ready" && status === "True");
  if (ready) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

function decremented(budget: PodDisruptionBudget, pod: Pod, { clock }: EvictionContext): KubeObject {
  const { metadata, status } = budget;
  const name = metadata.name ?? "";
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  const allowed = status?.disruptionsAllowed ?? 0;
  if (allowed < 0) throw forbidden("poddisruptionbudget.policy", name, "pdb disruptions allowed is negative");
  if (Object.keys(status?.disruptedPods ?? {}).length > mostDisrupted) {
    const message = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbidden("poddisruptionbudget.policy", name, message);
  }
  if (allowed === 0) throw refused(reason(budget), 0);
  const disruptedPods = { ...status?.disruptedPods, [pod.metadata.name ?? ""]: timestamp(clock.now()) };
  return { ...budget, status: { ...status, disruptionsAllowed: allowed - 1, disruptedPods } };
}

function reason({ metadata, status }: PodDisruptionBudget): string {
  const condition = status?.conditions?.find(({ status, type }) => type === "DisruptionAllowed" && status === "False");
  const start = `The disruption budget ${metadata.name}`;
  if (condition?.message && condition.reason === "SyncFailed") {
    return `${start} does not allow evicting pods currently because it failed sync: ${condition.message}`;
  }
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  if (currentHealthy <= desiredHealthy)
    return `${start} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  if (!condition?.message) return `${start} does not allow evicting pods currently`;
  return `${start} does not allow evicting pods currently (${condition.reason}): ${condition.message}`;
}

function refused(message: string, retryAfterSeconds: number): StatusError {
  return tooManyRequests(violation, retryAfterSeconds, [{ reason: "DisruptionBudget", message }]);
}

function tooManyBudgets(): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    code: 500,
  });
}
