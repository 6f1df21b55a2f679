import {
  type ControllerRevision,
  type DaemonSet,
  type DaemonSetStatus,
  deepEqual,
  type Node,
  type Pod,
  scaledValue,
} from "@dhow/kube";
import { buildPod, placement, revisionLabel, targetNode } from "./daemonset/placement.ts";
import { mostSurge, surge, surplusOfSurge } from "./daemonset/surge.ts";
import { kinds } from "./kinds.ts";
import type { EventRecorder } from "./manager/events.ts";
import { Expectations } from "./manager/expectations.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { byCreation, isDeleting, keyOf, nameOf, splitKey, uidOf } from "./objects.ts";
import { OwnedIndex, ownedPods, ownershipKeys, watchPods } from "./owned-pods.ts";
import { claim } from "./ownership.ts";
import { PodControl, slowStart } from "./pod-control.ts";
import { isPodAvailable, isPodReady, isPodTerminal } from "./pods.ts";
import { currentRevision, truncateHistory } from "./revisions.ts";
import { labelSelectorMatcher } from "./selectors.ts";

/** Keeps one pod on every node that wants it. */
export const daemonset: Controller = {
  name: "daemonset",
  start(manager) {
    const reconciler = new DaemonSetReconciler(manager);
    const { expectations } = reconciler;
    const queue = manager.queue("daemonset", { workers: 2, reconcile: (key) => reconciler.reconcile(key) });
    const sets = manager.informer(kinds.daemonSet);
    sets.onChange((set, old) => {
      if (!set && old) expectations.forget(keyOf(old));
      queue.add(keyOf((set ?? old) as DaemonSet));
    });
    watchPods(manager, {
      kind: "DaemonSet",
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
    });
    const relevant = (node: Node | undefined) => JSON.stringify([node?.metadata.labels, node?.spec?.taints]);
    manager.informer(kinds.node).onChange((node, old) => {
      if (relevant(node) !== relevant(old)) for (const set of sets.list()) queue.add(keyOf(set));
    });
  },
};

interface World {
  readonly set: DaemonSet;
  readonly revision: string;
  readonly nodes: readonly Node[];
  readonly byNode: ReadonlyMap<string, Pod[]>;
}

/** pkg/controller/daemon/daemon_controller.go and update.go */
class DaemonSetReconciler {
  readonly expectations: Expectations;
  readonly #manager: Manager;
  readonly #recorder: EventRecorder;
  readonly #pods: OwnedIndex<Pod>;
  readonly #revisions: OwnedIndex<ControllerRevision>;
  readonly #control: PodControl;

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#recorder = manager.recorder("daemonset-controller");
    this.#pods = ownedPods(manager);
    this.#revisions = new OwnedIndex(manager.index(kinds.controllerRevision, "owner", ownershipKeys));
    this.#control = new PodControl(manager.client, this.#recorder);
    this.expectations = new Expectations(manager.clock);
  }

  async reconcile(key: string): Promise<number | void> {
    const { namespace, name } = splitKey(key);
    const set = this.#manager.informer(kinds.daemonSet).get(namespace, name);
    if (!set?.spec || isDeleting(set)) return;
    const upToDate = this.expectations.satisfied(key);
    const { client } = this.#manager;
    const matches = labelSelectorMatcher(set.spec.selector);
    const pods = await claim({ client, owner: set, matches, candidates: this.#pods.candidates(set) });
    const versioned = { ...set, spec: set.spec, status: { collisionCount: set.status?.collisionCount ?? 0 } };
    const { current, all } = await currentRevision(this.#manager, versioned, this.#revisions.ownedBy(set));
    const nodes = this.#manager.informer(kinds.node).list();
    const byNode = Map.groupBy(pods, targetNode);
    const world = { set, revision: nameOf(current), nodes, byNode };
    if (upToDate) {
      const planned = this.#plan(world);
      const settled = planned.create.length + planned.remove.length === 0;
      const { create, remove } = settled ? this.#rollOn(world) : planned;
      await this.#apply(world, create, remove);
    }
    await this.#writeStatus(world);
    const used = new Set([nameOf(current), ...pods.map((pod) => pod.metadata.labels?.[revisionLabel] ?? "")]);
    await truncateHistory(this.#manager, all, used, set.spec.revisionHistoryLimit ?? 10);
    const wait = set.spec.minReadySeconds ?? 0;
    return wait > 0 && (set.status?.numberUnavailable ?? 0) > 0 ? wait * 1000 : undefined;
  }

  #rollOn(world: World): { create: string[]; remove: Pod[] } {
    const { set, nodes } = world;
    if (mostSurge(set, nodes.length) > 0) return surge({ ...world, now: this.#manager.clock.now() });
    return { create: [], remove: this.#outdated(world) };
  }

  #plan({ set, revision, nodes, byNode }: World): { create: string[]; remove: Pod[] } {
    const surges = mostSurge(set, nodes.length) > 0;
    const create: string[] = [];
    const remove: Pod[] = [];
    for (const node of nodes) {
      const { run, stay } = placement(set, node);
      const pods = (byNode.get(nameOf(node)) ?? []).filter((pod) => !isDeleting(pod)).sort(byCreation);
      const failed = pods.filter((pod) => pod.status?.phase === "Failed");
      const alive = pods.filter((pod) => !isPodTerminal(pod));
      if (!stay) remove.push(...pods);
      else {
        for (const pod of failed) {
          this.#recorder.event(
            set,
            "Warning",
            "FailedDaemonPod",
            `Found failed daemon pod ${keyOf(pod)} on node ${nameOf(node)}, will try to kill it`,
          );
        }
        const surplus = surges ? surplusOfSurge(set, revision, alive, this.#manager.clock.now()) : alive.slice(1);
        remove.push(...failed, ...surplus);
        // One that is going has to be gone first: it may hold what the next one needs.
        if (run && (byNode.get(nameOf(node)) ?? []).length === 0) create.push(nameOf(node));
      }
    }
    return { create, remove };
  }

  /** Old pods that may go now: as many as may be unavailable, those that are not available first. */
  #outdated({ set, revision, nodes, byNode }: World): Pod[] {
    const strategy = set.spec?.updateStrategy;
    if (strategy?.type === "OnDelete") return [];
    const wanted = nodes.filter((node) => placement(set, node).run);
    const most = Math.max(scaledValue(strategy?.rollingUpdate?.maxUnavailable ?? 1, wanted.length, "up"), 1);
    const now = this.#manager.clock.now();
    const available = (pod: Pod) => !isDeleting(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
    const current = wanted.map((node) => byNode.get(nameOf(node)) ?? []);
    let spare = most - current.filter((pods) => !pods.some(available)).length;
    const old = current.flat().filter((pod) => pod.metadata.labels?.[revisionLabel] !== revision && !isDeleting(pod));
    const going = old.filter((pod) => !available(pod));
    for (const pod of old.filter(available)) if (spare-- > 0) going.push(pod);
    return going;
  }

  async #apply({ set, revision }: World, create: readonly string[], remove: readonly Pod[]): Promise<void> {
    if (create.length + remove.length === 0) return;
    const key = keyOf(set);
    this.expectations.expect(key, create.length, remove.map(uidOf));
    const { succeeded, error } = await slowStart(create.length, async (at) => {
      await this.#control.create(set, buildPod(set, create[at] ?? "", revision));
    });
    for (let i = succeeded; i < create.length; i++) this.expectations.created(key);
    await Promise.all(
      remove.map(async (pod) => {
        try {
          if (!(await this.#control.delete(set, pod))) this.expectations.deleted(key, uidOf(pod));
        } catch (failure) {
          this.expectations.deleted(key, uidOf(pod));
          throw failure;
        }
      }),
    );
    if (error !== undefined) throw error;
  }

  async #writeStatus({ set, revision, nodes, byNode }: World): Promise<void> {
    const now = this.#manager.clock.now();
    const status: DaemonSetStatus = {
      ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
      ...(set.status?.collisionCount === undefined ? {} : { collisionCount: set.status.collisionCount }),
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
      observedGeneration: set.metadata.generation ?? 0,
    };
    let available = 0;
    let updated = 0;
    for (const node of nodes) {
      const { run } = placement(set, node);
      const pod = (byNode.get(nameOf(node)) ?? []).filter((candidate) => !isDeleting(candidate)).sort(byCreation)[0];
      if (run) status.desiredNumberScheduled++;
      if (!pod) continue;
      if (!run) status.numberMisscheduled++;
      else {
        status.currentNumberScheduled++;
        if (isPodReady(pod)) status.numberReady++;
        if (isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now)) available++;
        if (pod.metadata.labels?.[revisionLabel] === revision) updated++;
      }
    }
    const unavailable = status.desiredNumberScheduled - available;
    if (available > 0) status.numberAvailable = available;
    if (unavailable > 0) status.numberUnavailable = unavailable;
    if (updated > 0) status.updatedNumberScheduled = updated;
    if (!deepEqual(set.status, status)) await this.#manager.client.updateStatus<DaemonSet>({ ...set, status });
  }
}
