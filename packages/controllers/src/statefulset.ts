import { type ControllerRevision, deepEqual, type Pod, type StatefulSet, type StatefulSetStatus } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { controllerOf, isDeleting, keyOf, millisecondsOf, nameOf, namespaceOf, splitKey } from "./objects.ts";
import { OwnedIndex, ownedPods, ownershipKeys, watchPods } from "./owned-pods.ts";
import { claim } from "./ownership.ts";
import { isPodAvailable, isPodReady, readySince } from "./pods.ts";
import { currentRevision, truncateHistory } from "./revisions.ts";
import { labelSelectorMatcher } from "./selectors.ts";
import { ordinalOf, revisionLabel } from "./statefulset/identity.ts";
import { StatefulSteps } from "./statefulset/steps.ts";

/** Keeps pods with stable names and claims of their own. */
export const statefulset: Controller = {
  name: "statefulset",
  start(manager) {
    const reconciler = new StatefulSetReconciler(manager);
    const queue = manager.queue("statefulset", { workers: 4, reconcile: (key) => reconciler.reconcile(key) });
    const sets = manager.informer(kinds.statefulSet);
    const enqueue = (set: StatefulSet) => queue.add(keyOf(set));
    sets.onChange((set, old) => enqueue((set ?? old) as StatefulSet));
    watchPods(manager, {
      kind: "StatefulSet",
      find: (namespace, name) => sets.get(namespace, name),
      created: enqueue,
      changed: enqueue,
      deleted: enqueue,
      orphan: (pod) => {
        for (const set of sets.list(namespaceOf(pod))) {
          if (labelSelectorMatcher(set.spec.selector)(pod.metadata.labels ?? {})) enqueue(set);
        }
      },
    });
    manager.informer(kinds.persistentVolumeClaim).onChange((next, old) => {
      // A set may wait for a claim of an earlier pod to go.
      if (next || !old) return;
      for (const set of sets.list(namespaceOf(old))) if (nameOf(old).includes(nameOf(set))) enqueue(set);
    });
  },
};

class StatefulSetReconciler {
  readonly #manager: Manager;
  readonly #pods: OwnedIndex<Pod>;
  readonly #revisions: OwnedIndex<ControllerRevision>;
  readonly #steps: StatefulSteps;

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#pods = ownedPods(manager);
    this.#revisions = new OwnedIndex(manager.index(kinds.controllerRevision, "owner", ownershipKeys));
    this.#steps = new StatefulSteps(manager, manager.recorder("statefulset-controller"));
  }

  async reconcile(key: string): Promise<number | void> {
    const { namespace, name } = splitKey(key);
    const set = this.#manager.informer(kinds.statefulSet).get(namespace, name);
    if (!set || isDeleting(set)) return;
    const matches = labelSelectorMatcher(set.spec.selector);
    const claimed = await claim({
      client: this.#manager.client,
      owner: set,
      matches,
      candidates: this.#pods.candidates(set).filter((pod) => controllerOf(pod) || ordinalOf(set, pod) !== undefined),
    });
    const pods = claimed.filter((pod) => ordinalOf(set, pod) !== undefined);
    const known = this.#revisions.ownedBy(set);
    const { current: update, all } = await currentRevision(this.#manager, set, known);
    const current = all.find((revision) => nameOf(revision) === set.status?.currentRevision) ?? update;
    let failure: { error: unknown } | undefined;
    try {
      await this.#steps.step({ set, current, update, pods });
    } catch (error) {
      failure = { error };
    }
    const status = this.#status(set, current, update, pods);
    if (!deepEqual(set.status, status)) await this.#manager.client.updateStatus<StatefulSet>({ ...set, status });
    const used = new Set([
      nameOf(current),
      nameOf(update),
      ...pods.map((pod) => pod.metadata.labels?.[revisionLabel] ?? ""),
    ]);
    await truncateHistory(this.#manager, all, used, set.spec.revisionHistoryLimit ?? 10);
    if (failure) throw failure.error;
    return this.#nextAvailability(set, pods);
  }

  #status(
    set: StatefulSet,
    current: ControllerRevision,
    update: ControllerRevision,
    pods: readonly Pod[],
  ): StatefulSetStatus {
    const now = this.#manager.clock.now();
    const of = (revision: ControllerRevision) => (pod: Pod) =>
      pod.metadata.labels?.[revisionLabel] === nameOf(revision) && !isDeleting(pod);
    const count = (test: (pod: Pod) => boolean) => pods.filter(test).length;
    const replicas = pods.length;
    const ready = count((pod) => pod.status?.phase === "Running" && isPodReady(pod));
    const available = count((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now));
    const updated = count(of(update));
    let currentCount = count(of(current));
    let currentName = nameOf(current);
    const rolling = set.spec.updateStrategy?.type !== "OnDelete";
    if (rolling && updated === replicas && ready === replicas && replicas === (set.spec.replicas ?? 1)) {
      // The update is complete: what was new is current now.
      currentName = nameOf(update);
      currentCount = updated;
    }
    return {
      ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
      observedGeneration: set.metadata.generation ?? 0,
      replicas,
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      availableReplicas: available,
      ...(currentCount > 0 ? { currentReplicas: currentCount } : {}),
      ...(updated > 0 ? { updatedReplicas: updated } : {}),
      currentRevision: currentName,
      updateRevision: nameOf(update),
      collisionCount: set.status?.collisionCount ?? 0,
    };
  }

  #nextAvailability(set: StatefulSet, pods: readonly Pod[]): number | undefined {
    const wait = (set.spec.minReadySeconds ?? 0) * 1000;
    if (wait === 0) return undefined;
    const now = this.#manager.clock.now();
    const times = pods
      .map((pod) => (readySince(pod) ?? millisecondsOf(undefined)) + wait - now)
      .filter((time) => time > 0);
    return times.length > 0 ? Math.min(...times) + 10 : undefined;
  }
}
