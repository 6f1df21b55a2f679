import {
  type Condition,
  deepEqual,
  isStatusError,
  type KubeObject,
  type Pod,
  type PodDisruptionBudget,
  resourceByKind,
} from "@dhow/kube";
import { withStatusCondition } from "./conditions.ts";
import { type Allowance, allowance } from "./disruption/allowance.ts";
import { kinds } from "./kinds.ts";
import type { EventRecorder } from "./manager/events.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { controllerOf, isDeleting, keyOf, millisecondsOf, namespaceOf, splitKey } from "./objects.ts";
import { isPodReady, isPodTerminal } from "./pods.ts";
import { labelSelectorMatcher } from "./selectors.ts";

/** How long an eviction that was allowed counts before the pod must have begun to go (DeletionTimeout). */
const deletionTimeout = 2 * 60_000;

/** Keeps the status of PodDisruptionBudgets, by which the API server allows or refuses evictions. */
export const disruption: Controller = {
  name: "disruption",
  start(manager) {
    const recorder = manager.recorder("controllermanager");
    const budgets = manager.informer(kinds.podDisruptionBudget);
    const queue = manager.queue("disruption", { reconcile: (key) => reconcile(manager, recorder, key) });
    budgets.onChange((budget) => {
      if (budget) queue.add(keyOf(budget));
    });
    const ofPod = (pod: Pod | undefined) => {
      if (!pod) return;
      for (const budget of budgets.list(namespaceOf(pod))) {
        if (labelSelectorMatcher(budget.spec?.selector)(pod.metadata.labels ?? {})) queue.add(keyOf(budget));
      }
    };
    manager.informer(kinds.pod).onChange((pod, old) => {
      ofPod(pod);
      ofPod(old);
    });
    // The scale of what owns the pods counts, too.
    for (const kind of [kinds.deployment, kinds.replicaSet, kinds.statefulSet]) {
      manager.informer<KubeObject & { spec?: { replicas?: number } }>(kind).onChange((object, old) => {
        if (object?.spec?.replicas === old?.spec?.replicas) return;
        for (const budget of budgets.list(namespaceOf((object ?? old) as KubeObject))) queue.add(keyOf(budget));
      });
    }
  },
};

async function reconcile(manager: Manager, recorder: EventRecorder, key: string): Promise<number | void> {
  const { namespace, name } = splitKey(key);
  const budget = manager.informer(kinds.podDisruptionBudget).get(namespace, name);
  if (!budget) return;
  const now = manager.clock.now();
  const matches = labelSelectorMatcher(budget.spec?.selector);
  const pods = manager
    .informer(kinds.pod)
    .list(namespace)
    .filter((pod) => matches(pod.metadata.labels ?? {}) && !isPodTerminal(pod));
  const disrupted = stillDisrupted(budget, pods, now);
  const healthy = pods.filter(
    (pod) => isPodReady(pod) && !isDeleting(pod) && disrupted[pod.metadata.name ?? ""] === undefined,
  );
  const scale = await expectedScale(manager, pods);
  const allowed = allowance(budget.spec ?? {}, pods.length, scale, healthy.length);
  if (!allowed) {
    const message = "Failed to calculate the number of expected pods: found no controllers for the pods";
    recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message);
  }
  await write(
    manager,
    budget,
    allowed ?? { expectedPods: 0, desiredHealthy: 0, disruptionsAllowed: 0 },
    healthy.length,
    disrupted,
    !allowed,
  );
  const next = Math.min(...Object.values(disrupted).map((time) => millisecondsOf(time) + deletionTimeout - now + 1000));
  return Number.isFinite(next) ? next : undefined;
}

/** Evictions that were allowed and whose pods have not begun to go yet. */
function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], now: number): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, time] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const pod = pods.find((candidate) => candidate.metadata.name === name);
    if (pod && !isDeleting(pod) && millisecondsOf(time) + deletionTimeout > now) kept[name] = time;
  }
  return kept;
}

/** What the controllers of the pods want together, through the scale subresource of whatever they are; undefined where one of them has none. */
async function expectedScale(manager: Manager, pods: readonly Pod[]): Promise<number | undefined> {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const reference = controllerOf(pod);
    if (!reference) continue;
    const scale = await scaleOf(manager, namespaceOf(pod), reference);
    if (scale) scales.set(scale.uid, scale.replicas);
    else return undefined;
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

async function scaleOf(
  manager: Manager,
  namespace: string,
  reference: { apiVersion: string; kind: string; name: string; uid: string },
): Promise<{ uid: string; replicas: number } | undefined> {
  if (reference.kind === "ReplicaSet") {
    const set = manager.informer(kinds.replicaSet).get(namespace, reference.name);
    const owner = set && controllerOf(set);
    if (owner?.kind === "Deployment") return scaleOf(manager, namespace, owner);
    return set && { uid: reference.uid, replicas: set.spec?.replicas ?? 1 };
  }
  if (reference.kind === "Deployment" || reference.kind === "StatefulSet") {
    const kind = reference.kind === "Deployment" ? kinds.deployment : kinds.statefulSet;
    const found = manager.informer<KubeObject & { spec?: { replicas?: number } }>(kind).get(namespace, reference.name);
    return found && { uid: reference.uid, replicas: found.spec?.replicas ?? 1 };
  }
  if (resourceByKind(reference.apiVersion, reference.kind)) return undefined;
  try {
    const ref = { apiVersion: reference.apiVersion, kind: reference.kind, namespace, name: reference.name };
    const scale = await manager.client.subresource<{ spec?: { replicas?: number } }>(ref, "scale", "GET");
    return { uid: reference.uid, replicas: scale.spec?.replicas ?? 0 };
  } catch (error) {
    if (isStatusError(error)) return undefined;
    throw error;
  }
}

async function write(
  manager: Manager,
  budget: PodDisruptionBudget,
  allowed: Allowance,
  currentHealthy: number,
  disruptedPods: Record<string, string>,
  failed: boolean,
): Promise<void> {
  const observedGeneration = budget.metadata.generation ?? 0;
  const reason = failed ? "SyncFailed" : allowed.disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods";
  const conditions = withStatusCondition<Condition>(
    budget.status?.conditions,
    {
      type: "DisruptionAllowed",
      status: !failed && allowed.disruptionsAllowed > 0 ? "True" : "False",
      reason,
      message: "",
      observedGeneration,
      lastTransitionTime: "",
    },
    manager.clock,
  );
  const status = {
    ...allowed,
    currentHealthy,
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    observedGeneration,
    conditions,
  };
  if (deepEqual(budget.status, status)) return;
  await manager.client.updateStatus<PodDisruptionBudget>({ ...budget, status });
}
