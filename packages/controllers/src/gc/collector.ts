import {
  isStatusError,
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  type OwnerReference,
  refOf,
} from "@dhow/kube";
import { isDeleting, uidOf } from "../objects.ts";
import {
  deletesDependents,
  foregroundFinalizer,
  type GraphNode,
  orphanFinalizer,
  orphansDependents,
  type OwnershipGraph,
} from "./graph.ts";

interface Classified {
  readonly solid: OwnerReference[];
  readonly dangling: OwnerReference[];
  /** Owners that wait for this object to go before they do. */
  readonly waiting: OwnerReference[];
}

/** As many absent owners are remembered as by the real one (absentOwnerCache). */
const mostAbsent = 500;

/** Decides and acts for one object at a time (pkg/controller/garbagecollector/garbagecollector.go). */
export class Collector {
  readonly #client: KubeClient;
  readonly #graph: OwnershipGraph;
  readonly #enqueue: (uid: string) => void;
  /** Owners that the server did not have: what has that uid never comes back, and its other dependents need not ask again. */
  readonly #absent = new Set<string>();

  constructor(client: KubeClient, graph: OwnershipGraph, enqueue: (uid: string) => void) {
    this.#client = client;
    this.#graph = graph;
    this.#enqueue = enqueue;
  }

  async process(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    if (orphansDependents(node)) return this.#orphan(node);
    if (deletesDependents(node)) return this.#waitForDependents(node);
    if (!node.deleting && node.owners.length > 0) await this.#collect(node);
  }

  async #collect(node: GraphNode): Promise<void> {
    // In the everyday case all owners are there, and nobody has to be asked.
    const known = await this.#classify(node, node.owners);
    if (known.dangling.length === 0 && known.waiting.length === 0) return;
    const live = await this.#client.find(refTo(node));
    if (!live || uidOf(live) !== node.uid || isDeleting(live)) return;
    const { solid, dangling, waiting } = await this.#classify(node, live.metadata.ownerReferences ?? []);
    if (solid.length > 0) {
      await this.#dropOwners(live, new Set([...dangling, ...waiting].map((owner) => owner.uid)));
      return;
    }
    const dependents = this.#graph.dependentsOf(node.uid);
    if (waiting.length > 0 && dependents.length > 0) {
      await this.#unblockCycle(node, dependents);
      await this.#delete(live, "Foreground");
      return;
    }
    const finalizers = live.metadata.finalizers ?? [];
    const asBefore = finalizers.includes(orphanFinalizer)
      ? "Orphan"
      : finalizers.includes(foregroundFinalizer)
        ? "Foreground"
        : "Background";
    await this.#delete(live, asBefore);
  }

  /** Owners in a circle, each waiting for the next, would wait for ever: this one's dependents do not block it. */
  async #unblockCycle(node: GraphNode, dependents: readonly GraphNode[]): Promise<void> {
    if (!dependents.some(deletesDependents)) return;
    for (const dependent of dependents) {
      const live = await this.#client.find(refTo(dependent));
      const owners = live?.metadata.ownerReferences ?? [];
      if (!live || !owners.some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion)) continue;
      const ownerReferences = owners.map((owner) =>
        owner.uid === node.uid ? { ...owner, blockOwnerDeletion: false } : owner,
      );
      await this.#patchMetadata(live, { ownerReferences });
    }
  }

  async #classify(node: GraphNode, owners: readonly OwnerReference[]): Promise<Classified> {
    const result: Classified = { solid: [], dangling: [], waiting: [] };
    for (const owner of owners) {
      const found = this.#graph.owns(owner, node) ?? (await this.#ask(owner, node));
      if (!found) result.dangling.push(owner);
      else if (deletesDependents(found) && owner.blockOwnerDeletion === true) result.waiting.push(owner);
      else result.solid.push(owner);
    }
    return result;
  }

  /** An owner that no informer shows may be newer than its informer; the server knows. */
  async #ask(owner: OwnerReference, node: GraphNode): Promise<GraphNode | undefined> {
    const ref = { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name };
    const place = JSON.stringify([ref, owner.uid, node.namespace]);
    if (this.#absent.has(place)) return undefined;
    const live = await this.#find(node.namespace ? { ...ref, namespace: node.namespace } : ref);
    if (!live || uidOf(live) !== owner.uid) {
      this.#rememberAbsent(place);
      return undefined;
    }
    const { finalizers = [], namespace = "" } = live.metadata;
    return { ...ref, uid: owner.uid, namespace, owners: [], deleting: isDeleting(live), finalizers };
  }

  async #find(ref: ObjectRef): Promise<KubeObject | undefined> {
    try {
      return await this.#client.find(ref);
    } catch (error) {
      // A kind that is not served any more: its objects are gone with it.
      if (isStatusError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  #rememberAbsent(place: string): void {
    this.#absent.add(place);
    for (const oldest of this.#absent) {
      if (this.#absent.size <= mostAbsent) return;
      this.#absent.delete(oldest);
    }
  }

  async #waitForDependents(node: GraphNode): Promise<void> {
    const blocking = this.#graph
      .dependentsOf(node.uid)
      .filter(({ owners }) => owners.some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion === true));
    if (blocking.length === 0) {
      await this.#removeFinalizer(node, foregroundFinalizer);
      return;
    }
    for (const dependent of blocking) if (!deletesDependents(dependent)) this.#enqueue(dependent.uid);
  }

  async #orphan(node: GraphNode): Promise<void> {
    for (const dependent of this.#graph.dependentsOf(node.uid)) {
      const live = await this.#client.find(refTo(dependent));
      if (live && uidOf(live) === dependent.uid) await this.#dropOwners(live, new Set([node.uid]));
    }
    await this.#removeFinalizer(node, orphanFinalizer);
  }

  async #dropOwners(object: KubeObject, uids: ReadonlySet<string>): Promise<void> {
    const owners = object.metadata.ownerReferences ?? [];
    const ownerReferences = owners.filter((owner) => !uids.has(owner.uid));
    if (ownerReferences.length < owners.length) await this.#patchMetadata(object, { ownerReferences });
  }

  async #removeFinalizer(node: GraphNode, finalizer: string): Promise<void> {
    const live = await this.#client.find(refTo(node));
    if (!live || uidOf(live) !== node.uid) return;
    const finalizers = live.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return;
    await this.#patchMetadata(live, { finalizers: finalizers.filter((name) => name !== finalizer) });
  }

  async #patchMetadata(object: KubeObject, change: Record<string, unknown>): Promise<void> {
    // The resourceVersion makes it a conflict if somebody else changed the list since.
    const { uid, resourceVersion } = object.metadata;
    try {
      await this.#client.patch(refOf(object), "merge", { metadata: { uid, resourceVersion, ...change } });
    } catch (error) {
      if (!isStatusError(error, "NotFound")) throw error;
    }
  }

  async #delete(object: KubeObject, propagationPolicy: "Orphan" | "Background" | "Foreground"): Promise<void> {
    const { uid = "", resourceVersion = "" } = object.metadata;
    try {
      await this.#client.delete(refOf(object), { propagationPolicy, preconditions: { uid, resourceVersion } });
    } catch (error) {
      if (!isStatusError(error, "NotFound")) throw error;
    }
  }
}

function refTo({ apiVersion, kind, namespace, name }: GraphNode) {
  return namespace ? { apiVersion, kind, namespace, name } : { apiVersion, kind, name };
}
