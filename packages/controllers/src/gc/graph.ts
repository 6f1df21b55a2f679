import type { KubeObject, OwnerReference } from "@dhow/kube";
import { isDeleting, nameOf, namespaceOf, uidOf } from "../objects.ts";

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** What the garbage collector remembers of an object. */
export interface GraphNode {
  readonly uid: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly OwnerReference[];
  readonly deleting: boolean;
  readonly finalizers: readonly string[];
}

export function toNode(object: KubeObject): GraphNode {
  return {
    uid: uidOf(object),
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: namespaceOf(object),
    name: nameOf(object),
    owners: object.metadata.ownerReferences ?? [],
    deleting: isDeleting(object),
    finalizers: object.metadata.finalizers ?? [],
  };
}

/** Waits for what it owns to go first. */
export function deletesDependents(node: GraphNode): boolean {
  return node.deleting && node.finalizers.includes(foregroundFinalizer);
}

export function orphansDependents(node: GraphNode): boolean {
  return node.deleting && node.finalizers.includes(orphanFinalizer);
}

/** Who owns whom, by uid, over all resources (pkg/controller/garbagecollector/graph_builder.go). */
export class OwnershipGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  set(node: GraphNode): void {
    this.remove(node.uid);
    this.#nodes.set(node.uid, node);
    for (const { uid } of node.owners) {
      let dependents = this.#dependents.get(uid);
      if (!dependents) this.#dependents.set(uid, (dependents = new Set()));
      dependents.add(node.uid);
    }
  }

  remove(uid: string): void {
    const node = this.#nodes.get(uid);
    if (!node) return;
    this.#nodes.delete(uid);
    for (const owner of node.owners) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }

  dependentsOf(uid: string): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }

  /** Whether this reference of this object names what is there. An owner in another namespace is none. */
  owns(owner: OwnerReference, dependent: GraphNode): GraphNode | undefined {
    const node = this.#nodes.get(owner.uid);
    return node && (node.namespace === "" || node.namespace === dependent.namespace) ? node : undefined;
  }

  /** Those whose dependents wait for them, and objects whose owner nobody has seen. */
  values(): IterableIterator<GraphNode> {
    return this.#nodes.values();
  }
}
