import { isStatusError, type Pod, refOf } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { byCreation, isDeleting, keyOf, nameOf, timestamp, uidOf } from "./objects.ts";
import { isPodTerminal } from "./pods.ts";

/** How often pods are looked through (pkg/controller/podgc/gc_controller.go). */
const period = 20_000;
/** How long a node must have been absent before its pods are given up. */
const quarantine = 40_000;
const defaultThreshold = 12_500;

/** Deletes pods whose node is gone, and the oldest of too many that have ended. */
export const podGc: Controller = {
  name: "pod-garbage-collector",
  start(manager) {
    const pods = manager.informer(kinds.pod);
    const absentSince = new Map<string, number>();
    manager.informer(kinds.node);
    manager.every(period, "pod-garbage-collector", async () => {
      const all = pods.list();
      const threshold = manager.options.terminatedPodThreshold ?? defaultThreshold;
      const ended = all.filter((pod) => isPodTerminal(pod) && !isDeleting(pod)).sort(byCreation);
      for (const pod of ended.slice(0, threshold > 0 ? Math.max(ended.length - threshold, 0) : 0))
        await remove(manager, pod);
      for (const pod of all.filter((candidate) => isDeleting(candidate) && !candidate.spec.nodeName))
        await remove(manager, pod);
      await removeOrphans(manager, all, absentSince);
    });
  },
};

async function removeOrphans(manager: Manager, pods: readonly Pod[], absentSince: Map<string, number>): Promise<void> {
  const nodes = manager.informer(kinds.node);
  const now = manager.clock.now();
  const absent = new Set(
    pods.flatMap(({ spec }) => (spec.nodeName && !nodes.get(undefined, spec.nodeName) ? [spec.nodeName] : [])),
  );
  for (const name of absentSince.keys()) if (!absent.has(name)) absentSince.delete(name);
  for (const name of absent) if (!absentSince.has(name)) absentSince.set(name, now);
  for (const name of absent) {
    if (now - (absentSince.get(name) ?? now) < quarantine) continue;
    if (await manager.client.find({ apiVersion: "v1", kind: "Node", name })) continue;
    for (const pod of pods.filter(({ spec }) => spec.nodeName === name)) {
      await markFailed(manager, pod);
      await remove(manager, pod);
    }
  }
}

async function markFailed(manager: Manager, pod: Pod): Promise<void> {
  if (isPodTerminal(pod)) return;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
    lastTransitionTime: timestamp(manager.clock),
  };
  const status = { phase: "Failed", conditions: [condition] };
  try {
    await manager.client.patch(
      refOf(pod),
      "strategic",
      { metadata: { uid: uidOf(pod) }, status },
      { subresource: "status" },
    );
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}

/** At once: there is no kubelet to wait for. */
async function remove(manager: Manager, pod: Pod): Promise<void> {
  try {
    await manager.client.delete(refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } });
  } catch (error) {
    if (!isStatusError(error, "NotFound") && !isStatusError(error, "Conflict"))
      manager.report(nameOf(pod), keyOf(pod), error, 1);
  }
}
