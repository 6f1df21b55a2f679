import type { KubeObject, Pod } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { IndexBy } from "./manager/index-by.ts";
import type { Manager } from "./manager/manager.ts";
import { controllerOf, namespaceOf, uidOf } from "./objects.ts";

/** Objects by the uid of what controls them, and those that nothing controls by namespace. */
export class OwnedIndex<T extends KubeObject> {
  readonly #index: IndexBy<T>;

  constructor(index: IndexBy<T>) {
    this.#index = index;
  }

  ownedBy(owner: KubeObject): T[] {
    return this.#index.get(uidOf(owner));
  }

  /** What `owner` may claim: its own, and the orphans of its namespace. */
  candidates(owner: KubeObject): T[] {
    return [...this.ownedBy(owner), ...this.#index.get(`orphans of ${namespaceOf(owner)}`)];
  }
}

export function ownershipKeys(object: KubeObject): string[] {
  return [controllerOf(object)?.uid ?? `orphans of ${namespaceOf(object)}`];
}

/** The index of pods by owner, shared by all controllers that own pods. */
export function ownedPods(manager: Manager): OwnedIndex<Pod> {
  return new OwnedIndex(manager.index(kinds.pod, "owner", ownershipKeys));
}

export interface PodWatch<T extends KubeObject> {
  readonly kind: string;
  readonly find: (namespace: string, name: string) => T | undefined;
  /** The owner's pod appeared; `pod` may be going already. */
  readonly created: (owner: T, pod: Pod) => void;
  readonly changed: (owner: T, pod: Pod, old: Pod) => void;
  /** The owner's pod is gone or is going. */
  readonly deleted: (owner: T, pod: Pod) => void;
  /** A pod that nobody controls appeared or changed its labels. */
  readonly orphan?: (pod: Pod) => void;
}

/** Tells a controller about the pods of its owners (addPod, updatePod and deletePod of the ReplicaSet controller). */
export function watchPods<T extends KubeObject>(manager: Manager, watch: PodWatch<T>): void {
  const ownerOf = (pod: Pod) => {
    const reference = controllerOf(pod);
    if (reference?.kind !== watch.kind) return undefined;
    const owner = watch.find(namespaceOf(pod), reference.name);
    return owner && uidOf(owner) === reference.uid ? owner : undefined;
  };
  manager.informer(kinds.pod).onChange((pod, old) => {
    if (!pod) {
      const owner = old && ownerOf(old);
      if (owner) watch.deleted(owner, old);
      return;
    }
    const owner = ownerOf(pod);
    if (old && controllerOf(old)?.uid !== controllerOf(pod)?.uid) {
      const before = ownerOf(old);
      if (before) watch.deleted(before, old);
    }
    if (owner) {
      if (!old) watch.created(owner, pod);
      if (pod.metadata.deletionTimestamp && !old?.metadata.deletionTimestamp) watch.deleted(owner, pod);
      else if (old) watch.changed(owner, pod, old);
    } else if (!controllerOf(pod)) watch.orphan?.(pod);
  });
}
