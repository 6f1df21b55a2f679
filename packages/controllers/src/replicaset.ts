import { deepEqual, type Pod, type ReplicaSet, type ReplicaSetStatus } from "@dhow/kube";
import { messageOf } from "@dhow/base";
import { findCondition, withCondition, withoutCondition } from "./conditions.ts";
import { kinds } from "./kinds.ts";
import { Expectations } from "./manager/expectations.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { controllerOf, isDeleting, keyOf, namespaceOf, splitKey, timestamp, uidOf } from "./objects.ts";
import { claim } from "./ownership.ts";
import { ownedPods, type OwnedIndex, watchPods } from "./owned-pods.ts";
import { labelSelectorMatcher } from "./selectors.ts";
import { isNamespaceTerminating, PodControl, podFromTemplate, slowStart } from "./pod-control.ts";
import { inVictimOrder, isPodActive, isPodAvailable, isPodReady, isPodTerminal, readySince } from "./pods.ts";

/** At most so many creations or deletions at once (BurstReplicas, pkg/controller/replicaset/replica_set.go). */
const burst = 500;

/** Keeps as many pods of a template as a ReplicaSet asks for. */
export const replicaset: Controller = {
  name: "replicaset",
  start(manager) {
    const reconciler = new ReplicaSetReconciler(manager);
    const queue = manager.queue("replicaset", { workers: 8, reconcile: (key) => reconciler.reconcile(key) });
    const { expectations } = reconciler;
    const sets = manager.informer(kinds.replicaSet);
    sets.onChange((set, old) => {
      if (!set && old) expectations.forget(keyOf(old));
      queue.add(keyOf((set ?? old) as ReplicaSet));
    });
    watchPods(manager, {
      kind: "ReplicaSet",
      find: (namespace, name) => sets.get(namespace, name),
      created: (set) => {
        expectations.created(keyOf(set));
        queue.add(keyOf(set));
      },
      changed: (set) => queue.add(keyOf(set)),
      deleted: (set, pod) => {
        expectations.deleted(keyOf(set), uidOf(pod));
        queue.add(keyOf(set));
      },
      orphan: (pod) => {
        for (const set of sets.list(namespaceOf(pod))) {
          if (labelSelectorMatcher(set.spec?.selector)(pod.metadata.labels ?? {})) queue.add(keyOf(set));
        }
      },
    });
  },
};

class ReplicaSetReconciler {
  readonly expectations: Expectations;
  readonly #manager: Manager;
  readonly #pods: OwnedIndex<Pod>;
  readonly #control: PodControl;

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#pods = ownedPods(manager);
    this.expectations = new Expectations(manager.clock);
    this.#control = new PodControl(manager.client, manager.recorder("replicaset-controller"));
  }

  async reconcile(key: string): Promise<number | void> {
    const { namespace, name } = splitKey(key);
    const set = this.#manager.informer(kinds.replicaSet).get(namespace, name);
    if (!set) {
      this.expectations.forget(key);
      return;
    }
    // Asked before the pods are listed: what arrives in between is then counted, never missed.
    const upToDate = this.expectations.satisfied(key);
    const pods = await claim({
      client: this.#manager.client,
      owner: set,
      matches: labelSelectorMatcher(set.spec?.selector),
      candidates: this.#pods.candidates(set).filter((pod) => !isPodTerminal(pod)),
    });
    const active = pods.filter(isPodActive);
    const failure = upToDate && !isDeleting(set) ? await this.#manage(key, set, active) : undefined;
    const terminating = pods.filter(isDeleting).length;
    await this.#updateStatus(set, active, terminating, failure);
    if (failure) throw failure.error;
    return this.#nextAvailability(set, active);
  }

  async #manage(key: string, set: ReplicaSet, active: readonly Pod[]): Promise<{ error: unknown } | undefined> {
    const difference = active.length - (set.spec?.replicas ?? 1);
    if (difference === 0) return undefined;
    const error =
      difference < 0 ? await this.#grow(key, set, -difference) : await this.#shrink(key, set, active, difference);
    return error === undefined ? undefined : { error };
  }

  async #grow(key: string, set: ReplicaSet, missing: number): Promise<unknown> {
    const count = Math.min(missing, burst);
    this.expectations.expect(key, count);
    const { succeeded, error } = await slowStart(count, async () => {
      try {
        await this.#control.create(set, podFromTemplate(set, set.spec?.template));
      } catch (failure) {
        if (!isNamespaceTerminating(failure)) throw failure;
        this.expectations.created(key);
      }
    });
    for (let i = succeeded; i < count; i++) this.expectations.created(key);
    return error;
  }

  async #shrink(key: string, set: ReplicaSet, active: readonly Pod[], surplus: number): Promise<unknown> {
    const count = Math.min(surplus, burst);
    const victims = inVictimOrder(active, this.#relatedPods(set), this.#manager.clock.now()).slice(0, count);
    this.expectations.expect(key, 0, victims.map(uidOf));
    const results = await Promise.allSettled(
      victims.map(async (pod) => {
        try {
          if (!(await this.#control.delete(set, pod))) this.expectations.deleted(key, uidOf(pod));
        } catch (failure) {
          this.expectations.deleted(key, uidOf(pod));
          throw failure;
        }
      }),
    );
    return results.find((result) => result.status === "rejected")?.reason;
  }

  /** The pods of all ReplicaSets with the same owner: a Deployment's revisions should not crowd one node together. */
  #relatedPods(set: ReplicaSet): Pod[] {
    const owner = controllerOf(set);
    if (!owner) return this.#pods.ownedBy(set);
    return this.#manager
      .informer(kinds.replicaSet)
      .list(namespaceOf(set))
      .filter((other) => controllerOf(other)?.uid === owner.uid)
      .flatMap((other) => this.#pods.ownedBy(other));
  }

  async #updateStatus(
    set: ReplicaSet,
    active: readonly Pod[],
    terminating: number,
    failure: { error: unknown } | undefined,
  ): Promise<void> {
    const status = this.#status(set, active, terminating, failure);
    if (deepEqual(set.status, status)) return;
    await this.#manager.client.updateStatus({ ...set, status });
  }

  #status(
    set: ReplicaSet,
    active: readonly Pod[],
    terminating: number,
    failure: { error: unknown } | undefined,
  ): ReplicaSetStatus {
    const { clock } = this.#manager;
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    const templateLabels = Object.entries(set.spec?.template?.metadata?.labels ?? {});
    const labelled = (pod: Pod) => templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value);
    let conditions = set.status?.conditions ?? [];
    if (!failure) conditions = withoutCondition(conditions, "ReplicaFailure");
    else if (!findCondition(conditions, "ReplicaFailure")) {
      const reason = active.length < (set.spec?.replicas ?? 1) ? "FailedCreate" : "FailedDelete";
      const message = messageOf(failure.error);
      const lastTransitionTime = timestamp(clock);
      conditions = withCondition(conditions, {
        type: "ReplicaFailure",
        status: "True",
        reason,
        message,
        lastTransitionTime,
      });
    }
    return {
      ...positive(
        "availableReplicas",
        active.filter((pod) => isPodAvailable(pod, minReadySeconds, clock.now())).length,
      ),
      ...(conditions.length > 0 ? { conditions } : {}),
      ...positive("fullyLabeledReplicas", active.filter(labelled).length),
      ...positive("observedGeneration", set.metadata.generation ?? 0),
      ...positive("readyReplicas", active.filter(isPodReady).length),
      replicas: active.length,
      terminatingReplicas: terminating,
    };
  }

  /** When the next ready pod becomes available, because nothing will tell. */
  #nextAvailability(set: ReplicaSet, active: readonly Pod[]): number | undefined {
    const wait = (set.spec?.minReadySeconds ?? 0) * 1000;
    if (wait === 0) return undefined;
    const now = this.#manager.clock.now();
    let next: number | undefined;
    for (const pod of active) {
      const since = readySince(pod);
      if (since === undefined || since + wait <= now) continue;
      next = Math.min(next ?? Infinity, since + wait - now + 10);
    }
    return next;
  }
}

/** A count as the API writes it: nothing at all for zero. */
export function positive<K extends string>(name: K, count: number): { [key in K]?: number } {
  return (count > 0 ? { [name]: count } : {}) as { [key in K]?: number };
}
