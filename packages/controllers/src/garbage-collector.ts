import { isStatusError, type KubeObject } from "@dhow/kube";
import { Collector } from "./gc/collector.ts";
import { deletesDependents, type GraphNode, orphansDependents, OwnershipGraph, toNode } from "./gc/graph.ts";
import { Monitors } from "./gc/monitors.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import type { WorkQueue } from "./manager/work-queue.ts";

/** How often the server is asked whether it serves other resources by now. */
const discoveryPeriod = 30_000;

/** Deletes what lost its owners, in the background or before them, or lets it stay (propagation policies). */
export const garbageCollector: Controller = {
  name: "garbage-collector",
  start(manager) {
    new GarbageCollector(manager).start();
  },
};

class GarbageCollector {
  readonly #manager: Manager;
  readonly #graph = new OwnershipGraph();
  readonly #queue: WorkQueue;
  readonly #monitors: Monitors;
  #complete = false;

  constructor(manager: Manager) {
    this.#manager = manager;
    const collector = new Collector(manager.client, this.#graph, (uid) => this.#queue.add(uid));
    this.#queue = manager.queue("garbage-collector", {
      workers: 20,
      // As long as not every resource has been seen, an owner may only seem to be absent.
      reconcile: async (uid) => (this.#complete ? collector.process(uid) : 100),
    });
    this.#monitors = new Monitors(manager, (next, previous) => this.#onChange(next, previous));
  }

  start(): void {
    this.#manager.whenSynced(() => void this.#refresh());
    this.#manager.every(discoveryPeriod, "garbage-collector", () => this.#refresh());
    this.#manager
      .informer({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" })
      .onChange(() => this.#manager.clock.after(500, () => void this.#refresh()));
  }

  async #refresh(): Promise<void> {
    if (this.#manager.signal.aborted) return;
    try {
      await this.#monitors.refresh();
      if (this.#complete) return;
      this.#complete = true;
      for (const node of this.#graph.values()) if (this.#needsLook(node)) this.#queue.add(node.uid);
    } catch (error) {
      if (!isStatusError(error, "NotFound")) this.#manager.report("garbage-collector", "", error, 1);
      if (!this.#complete) this.#manager.clock.after(1000, () => void this.#refresh());
    }
  }

  #onChange(next: KubeObject | undefined, previous: KubeObject | undefined): void {
    if (!next) {
      if (previous) this.#gone(toNode(previous));
      return;
    }
    const node = toNode(next);
    const before = this.#graph.get(node.uid);
    this.#graph.set(node);
    if (this.#complete && this.#needsLook(node)) this.#queue.add(node.uid);
    if (before && deletesDependents(before) !== deletesDependents(node)) this.#queue.add(node.uid);
    // An owner that waits for its dependents looks again when one of them does not block it any more.
    for (const owner of before?.owners ?? []) this.#lookAgain(owner.uid);
  }

  #gone(node: GraphNode): void {
    const dependents = this.#graph.dependentsOf(node.uid);
    this.#graph.remove(node.uid);
    for (const dependent of dependents) this.#queue.add(dependent.uid);
    for (const owner of node.owners) this.#lookAgain(owner.uid);
  }

  #lookAgain(uid: string): void {
    const owner = this.#graph.get(uid);
    if (owner && deletesDependents(owner)) this.#queue.add(uid);
  }

  #needsLook(node: GraphNode): boolean {
    if (deletesDependents(node) || orphansDependents(node)) return true;
    return node.owners.some((owner) => !this.#graph.owns(owner, node));
  }
}
