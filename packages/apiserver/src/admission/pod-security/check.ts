import type { Container, ObjectMeta, PodSpec } from "@dhow/kube";

/** Why a pod is not allowed: `privileged (container "c" must not set securityContext.privileged=true)`. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface Subject {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
}

export interface Check {
  readonly id: string;
  /** By the minor version of Kubernetes from which on it holds, in ascending order. */
  readonly versions: readonly (readonly [minor: number, test: (pod: Subject) => Violation | undefined])[];
  /** A check of the level below that this one makes needless. */
  readonly overrides?: string;
}

/** In the order in which the API looks at them (policy/visitor.go). */
export function containersOf({ spec }: Subject): Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

export function quoted(items: readonly string[]): string {
  return items.map((item) => `"${item}"`).join(", ");
}

export function sortedSet(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}

/** `container "a"`, `containers "a", "b"`. */
export function these(noun: string, names: readonly string[]): string {
  return `${noun}${names.length === 1 ? "" : "s"} ${quoted(names)}`;
}

export function namesWhere(pod: Subject, test: (container: Container) => boolean): string[] {
  return containersOf(pod)
    .filter(test)
    .map(({ name }) => name);
}

/** `pod and container "a"`: who sets something that is forbidden. */
export function setters(byPod: boolean, containers: readonly string[]): string {
  return [...(byPod ? ["pod"] : []), ...(containers.length > 0 ? [these("container", containers)] : [])].join(" and ");
}

export function isWindows({ spec }: Subject): boolean {
  return spec.os?.name === "windows";
}

export function hasOwnUsers({ spec }: Subject): boolean {
  return spec.hostUsers === false;
}
