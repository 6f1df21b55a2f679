import type { Clock } from "@dhow/base";
import type { KubeObject, OwnerReference } from "@dhow/kube";

/** What every object has, whichever kind it is. */
export type AnyObject = KubeObject;

/** `namespace/name`, or `name` alone for what has no namespace. */
export function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): string {
  const { namespace, name = "" } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export function nameOf(object: KubeObject): string {
  return object.metadata.name ?? "";
}

export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? "";
}

export function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? "";
}

export function isDeleting(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** The owner that manages the object, if one does. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** The reference by which `owner` manages what it creates (metav1.NewControllerRef). */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: nameOf(owner),
    uid: uidOf(owner),
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** A time as the API writes it: whole seconds, UTC. */
export function timestamp(clock: Clock, milliseconds = clock.now()): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** A time with microseconds, as Leases and the newer fields of Events have it. */
export function microTimestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 23)}000Z`;
}

/** Milliseconds since 1970 of an API time; 0 where there is none. */
export function millisecondsOf(time: string | undefined | null): number {
  return time ? Date.parse(time) : 0;
}

/** Oldest first; among equals by name, so that the order is the same each time. */
export function byCreation(a: KubeObject, b: KubeObject): number {
  const left = a.metadata.creationTimestamp ?? "";
  const right = b.metadata.creationTimestamp ?? "";
  if (left !== right) return left < right ? -1 : 1;
  return nameOf(a) < nameOf(b) ? -1 : 1;
}
