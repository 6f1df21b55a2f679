import { type Namespace, type Node, type Pod, refOf } from "@dhow/kube";
import { messageOf } from "@dhow/base";
import { kinds } from "./kinds.ts";
import type { EventRecorder } from "./manager/events.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, keyOf, nameOf, namespaceOf, uidOf } from "./objects.ts";
import { isPodTerminal } from "./pods.ts";
import { bindVolumes } from "./scheduler/bind-volumes.ts";
import { ClusterState } from "./scheduler/cluster-state.ts";
import { decide, type Diagnosis, explain } from "./scheduler/decide.ts";
import type { SchedulingWorld } from "./scheduler/filter.ts";
import { type PodInfo, podInfo } from "./scheduler/pod-info.ts";
import { preempt } from "./scheduler/preemption.ts";
import { type ClusterChange, SchedulingQueue } from "./scheduler/queue.ts";
import { evictVictims, markUnschedulable } from "./scheduler/verdicts.ts";
import { schedulingWorld } from "./scheduler/world.ts";

/** The scheduler that pods name when they name none. */
const schedulerName = "default-scheduler";
/** Bindings that may be under way at once. */
const bindingsInFlight = 64;
/** Decisions in one turn of the event loop, so that bindings and watches get theirs. */
const decisionsATurn = 16;

/** Gives pods their nodes. */
export const scheduler: Controller = {
  name: "scheduler",
  start(manager) {
    new Scheduler(manager).start();
  },
};

class Scheduler {
  readonly #manager: Manager;
  readonly #cluster = new ClusterState();
  readonly #queue: SchedulingQueue;
  readonly #world: SchedulingWorld;
  readonly #recorder: EventRecorder;
  readonly #changes = new Set<ClusterChange>();
  #binding = 0;
  #running = false;
  #ready = false;

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#queue = new SchedulingQueue(manager.clock, () => this.#wake());
    this.#recorder = manager.recorder(schedulerName);
    this.#world = schedulingWorld(manager, this.#cluster);
  }

  start(): void {
    const manager = this.#manager;
    manager.informer(kinds.node).onChange((node, old) => this.#onNode(node, old));
    manager.informer(kinds.pod).onChange((pod, old) => this.#onPod(pod, old));
    for (const kind of [kinds.persistentVolumeClaim, kinds.persistentVolume, kinds.storageClass]) {
      manager.informer<never>(kind as never).onChange(() => this.#changed("storage"));
    }
    manager.informer(kinds.namespace).onChange((next, old) => this.#onNamespace(next, old));
    manager.informer(kinds.podDisruptionBudget);
    manager.whenSynced(() => {
      this.#ready = true;
      this.#wake();
    });
    manager.every(30_000, "scheduler", () => this.#queue.flush());
  }

  #onNamespace(next: Namespace | undefined, old: Namespace | undefined): void {
    if (JSON.stringify(next?.metadata.labels) !== JSON.stringify(old?.metadata.labels)) this.#changed("namespace");
  }

  #onNode(node: Node | undefined, old: Node | undefined): void {
    if (!node) {
      if (old) this.#cluster.removeNode(nameOf(old));
      return;
    }
    this.#cluster.setNode(node);
    const relevant = (version: Node) =>
      JSON.stringify([version.spec, version.metadata.labels, version.status?.allocatable]);
    if (!old || relevant(old) !== relevant(node)) this.#changed("node");
  }

  #onPod(pod: Pod | undefined, old: Pod | undefined): void {
    const key = keyOf((pod ?? old) as Pod);
    if (!pod || isPodTerminal(pod)) {
      this.#queue.remove(key);
      this.#cluster.nominated.delete(key);
      const assigned = old?.spec.nodeName && !isPodTerminal(old);
      if (assigned || !pod) this.#cluster.remove(key);
      if (assigned) this.#changed("pod-gone");
      return;
    }
    if (pod.spec.nodeName) {
      this.#queue.remove(key);
      this.#cluster.place(podInfo(pod), pod.spec.nodeName, false);
      if (!old?.spec.nodeName) this.#changed("pod-placed");
      return;
    }
    if ((pod.spec.schedulerName ?? schedulerName) !== schedulerName || isDeleting(pod)) {
      this.#queue.remove(key);
      return;
    }
    if ((pod.spec.schedulingGates ?? []).length > 0 || this.#cluster.isAssumed(key, uidOf(pod))) return;
    // A promise of an earlier run of the scheduler holds.
    const promised = pod.status?.nominatedNodeName;
    if (promised && !old) this.#cluster.nominated.set(key, { node: promised, info: podInfo(pod) });
    const own = (version: Pod) => JSON.stringify([version.spec, version.metadata.labels, version.metadata.annotations]);
    this.#queue.update(podInfo(pod), !old || own(old) !== own(pod));
  }

  /** What comes in bursts is acted on once. */
  #changed(change: ClusterChange): void {
    if (this.#changes.size === 0) {
      this.#manager.clock.after(10, () => {
        const changes = [...this.#changes];
        this.#changes.clear();
        for (const each of changes) this.#queue.changed(each);
      });
    }
    this.#changes.add(change);
  }

  #wake(): void {
    if (this.#running || !this.#ready || this.#manager.signal.aborted) return;
    this.#running = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#running = false;
    for (let i = 0; i < decisionsATurn; i++) {
      if (this.#binding >= bindingsInFlight || this.#manager.signal.aborted) return;
      const info = this.#queue.pop();
      if (!info) return;
      this.#schedule(info);
    }
    this.#wake();
  }

  #schedule(info: PodInfo): void {
    const decision = decide(info, this.#world);
    if ("diagnosis" in decision) {
      this.#refuse(info, decision.diagnosis);
      return;
    }
    const { node } = decision;
    this.#cluster.place(info, node.name, true);
    this.#binding++;
    void this.#bind(info, node.name).finally(() => {
      this.#binding--;
      this.#wake();
    });
  }

  async #bind(info: PodInfo, node: string): Promise<void> {
    try {
      await bindVolumes(this.#manager, info.pod, node);
      const { pod } = info;
      await this.#manager.client.subresource(refOf(pod), "binding", "POST", {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: nameOf(pod), namespace: namespaceOf(pod), uid: uidOf(pod) },
        target: { kind: "Node", name: node },
      });
      this.#recorder.event(pod, "Normal", "Scheduled", `Successfully assigned ${info.key} to ${node}`, "Binding");
    } catch (error) {
      this.#bindingFailed(info, error);
    }
  }

  #bindingFailed(info: PodInfo, error: unknown): void {
    if (this.#manager.signal.aborted) return;
    const current = this.#manager.informer(kinds.pod).get(info.namespace, nameOf(info.pod));
    // It may have been bound all the same, or be gone: then the informer has the last word.
    if (this.#cluster.isAssumed(info.key, info.uid)) this.#cluster.remove(info.key);
    if (!current || uidOf(current) !== info.uid || current.spec.nodeName || isDeleting(current)) return;
    this.#manager.report("scheduler", info.key, error, 1);
    this.#recorder.event(current, "Warning", "FailedScheduling", `binding rejected: ${messageOf(error)}`, "Scheduling");
    this.#queue.retryLater(podInfo(current));
    this.#changed("pod-gone");
  }

  #refuse(info: PodInfo, diagnosis: Diagnosis): void {
    this.#queue.wait(info, diagnosis.filters);
    const budgets = this.#manager.informer(kinds.podDisruptionBudget).list();
    const outcome = diagnosis.nodeCount === 0 ? { reason: "" } : preempt(info, this.#world, diagnosis, budgets);
    let nominated: string | undefined;
    let message: string;
    if ("chosen" in outcome) {
      nominated = outcome.chosen.node.name;
      this.#cluster.nominated.set(info.key, { node: nominated, info });
      message = explain(diagnosis);
      void evictVictims(this.#manager, this.#recorder, info, outcome.chosen).catch((error: unknown) =>
        this.#manager.report("scheduler", info.key, error, 1),
      );
    } else message = explain(diagnosis, outcome.reason);
    this.#recorder.event(info.pod, "Warning", "FailedScheduling", message, "Scheduling");
    void markUnschedulable(this.#manager, info, message, nominated).catch((error: unknown) =>
      this.#manager.report("scheduler", info.key, error, 1),
    );
  }
}
