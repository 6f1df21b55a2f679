import type { Node } from "@dhow/kube";
import { nameOf } from "../objects.ts";
import type { Labels } from "../selectors.ts";
import type { PodInfo } from "./pod-info.ts";
import { addAmounts, type Amounts, amounts } from "./resources.ts";

/** A node with what is on it, assumed pods included. */
export class NodeState {
  readonly name: string;
  readonly pods = new Map<string, PodInfo>();
  readonly requested: Amounts = {};
  readonly scoreRequested: Amounts = {};
  node: Node | undefined;
  labels: Labels = {};
  allocatable: Amounts = {};

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: Node): void {
    this.node = node;
    this.labels = node.metadata.labels ?? {};
    this.allocatable = amounts(node.status?.allocatable);
  }

  add(info: PodInfo): void {
    this.remove(info.key);
    this.pods.set(info.key, info);
    addAmounts(this.requested, info.requests);
    addAmounts(this.scoreRequested, info.scoreRequests);
  }

  remove(key: string): PodInfo | undefined {
    const info = this.pods.get(key);
    if (!info) return undefined;
    this.pods.delete(key);
    addAmounts(this.requested, info.requests, -1);
    addAmounts(this.scoreRequested, info.scoreRequests, -1);
    return info;
  }
}

/** Where every pod is: what the informers show, and what has been decided but not yet been seen (pkg/scheduler/backend/cache). */
export class ClusterState {
  readonly #nodes = new Map<string, NodeState>();
  readonly #placed = new Map<string, { node: string; uid: string; assumed: boolean }>();
  /** Pods that wait for victims to leave a node, by their key. */
  readonly nominated = new Map<string, { node: string; info: PodInfo }>();

  /** The nodes that exist, in the order in which they came. */
  nodes(): NodeState[] {
    return [...this.#nodes.values()].filter((state) => state.node !== undefined);
  }

  node(name: string): NodeState | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: Node): void {
    this.#state(nameOf(node)).setNode(node);
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name);
    if (!state) return;
    state.node = undefined;
    if (state.pods.size === 0) this.#nodes.delete(name);
  }

  /** Puts a pod on a node; `assumed` until its binding is seen. */
  place(info: PodInfo, node: string, assumed: boolean): void {
    this.remove(info.key);
    this.#state(node).add(info);
    this.#placed.set(info.key, { node, uid: info.uid, assumed });
    this.nominated.delete(info.key);
  }

  remove(key: string): void {
    const placed = this.#placed.get(key);
    if (!placed) return;
    this.#placed.delete(key);
    const state = this.#nodes.get(placed.node);
    state?.remove(key);
    if (state && !state.node && state.pods.size === 0) this.#nodes.delete(placed.node);
  }

  isAssumed(key: string, uid: string): boolean {
    const placed = this.#placed.get(key);
    return placed?.assumed === true && placed.uid === uid;
  }

  /** Requests of pods that were promised room on a node and are at least as important. */
  nominatedRequests(node: string, info: PodInfo): Amounts | undefined {
    let total: Amounts | undefined;
    for (const other of this.nominated.values()) {
      if (other.node !== node || other.info.key === info.key || other.info.priority < info.priority) continue;
      total = addAmounts(total ?? { pods: 0 }, { ...other.info.requests, pods: 1 });
    }
    return total;
  }

  #state(name: string): NodeState {
    let state = this.#nodes.get(name);
    if (!state) this.#nodes.set(name, (state = new NodeState(name)));
    return state;
  }
}
