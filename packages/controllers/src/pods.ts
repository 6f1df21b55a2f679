import type { Pod } from "@dhow/kube";
import { findCondition } from "./conditions.ts";
import { isDeleting, millisecondsOf } from "./objects.ts";

export function isPodReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, "Ready")?.status === "True";
}

/** Since when the pod has been ready, in milliseconds; undefined while it is not. */
export function readySince(pod: Pod): number | undefined {
  const condition = findCondition(pod.status?.conditions, "Ready");
  return condition?.status === "True" ? millisecondsOf(condition.lastTransitionTime) : undefined;
}

/** Ready for at least `minReadySeconds` (pkg/api/v1/pod/util.go, IsPodAvailable). */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const since = readySince(pod);
  if (since === undefined) return false;
  return minReadySeconds === 0 || (since > 0 && since + minReadySeconds * 1000 <= now);
}

/** Has ended and will not run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Counts towards a wish: neither ended nor being deleted (controller_utils.go, IsPodActive). */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isDeleting(pod);
}

function restarts(pod: Pod): number {
  let most = 0;
  for (const status of pod.status?.containerStatuses ?? []) most = Math.max(most, status.restartCount ?? 0);
  return most;
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : 0;
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Ages are compared by their order of magnitude only, so that no pod is a victim each time (LogarithmicScaleDown). */
function logarithmicAge(since: number, now: number): number {
  const age = Math.max(now - since, 0);
  return age === 0 ? -1 : Math.floor(Math.log2(age * 1_000_000));
}

function compareAge(left: number, right: number, now: number): number {
  const difference = logarithmicAge(left, now) - logarithmicAge(right, now);
  return difference;
}

/**
 * Pods in the order in which a shrinking ReplicaSet deletes them (controller_utils.go, ActivePodsWithRanks): unassigned, pending, not
 * ready, cheap, crowded together, most recently ready, most restarted, youngest.
 */
export function inVictimOrder(pods: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const perNode = new Map<string, number>();
  for (const pod of related) {
    if (!isPodActive(pod) || !pod.spec?.nodeName) continue;
    perNode.set(pod.spec.nodeName, (perNode.get(pod.spec.nodeName) ?? 0) + 1);
  }
  const crowd = (pod: Pod) => perNode.get(pod.spec?.nodeName ?? "") ?? 0;
  const phase = (pod: Pod) => phaseRank[pod.status?.phase ?? "Pending"] ?? 2;
  return [...pods].sort(
    (a, b) =>
      Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
      phase(a) - phase(b) ||
      Number(isPodReady(a)) - Number(isPodReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      crowd(b) - crowd(a) ||
      (isPodReady(a) && isPodReady(b) ? compareAge(readySince(a) ?? 0, readySince(b) ?? 0, now) : 0) ||
      restarts(b) - restarts(a) ||
      compareAge(millisecondsOf(a.metadata.creationTimestamp), millisecondsOf(b.metadata.creationTimestamp), now) ||
      (uid(a) < uid(b) ? -1 : 1),
  );
}

function uid(pod: Pod): string {
  return pod.metadata.uid ?? "";
}
