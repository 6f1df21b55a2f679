import { type DaemonSet, type Node, type Pod, scaledValue } from "@dhow/kube";
import { byCreation, isDeleting, nameOf } from "../objects.ts";
import { isPodAvailable, isPodReady } from "../pods.ts";
import { placement, revisionLabel } from "./placement.ts";

/** On how many nodes a successor may run beside its predecessor; 0 where an old pod goes first. */
export function mostSurge(set: DaemonSet, nodes: number): number {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  return type === "OnDelete" ? 0 : scaledValue(rollingUpdate?.maxSurge ?? 0, nodes, "up");
}

interface SurgeInput {
  readonly set: DaemonSet;
  readonly revision: string;
  readonly nodes: readonly Node[];
  readonly byNode: ReadonlyMap<string, readonly Pod[]>;
  readonly now: number;
}

/** The next step of a rolling update whose new pods start before the old ones end (rollingUpdate in pkg/controller/daemon/update.go). */
export function surge({ set, revision, nodes, byNode, now }: SurgeInput): { create: string[]; remove: Pod[] } {
  const wanted = nodes.filter((node) => placement(set, node).run);
  const available = (pod: Pod) => isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
  const create: string[] = [];
  const candidates: string[] = [];
  const remove: Pod[] = [];
  let spare = mostSurge(set, wanted.length);
  for (const node of wanted.map(nameOf)) {
    const pods = (byNode.get(node) ?? []).filter((pod) => !isDeleting(pod)).sort(byCreation);
    const fresh = pods.find((pod) => pod.metadata.labels?.[revisionLabel] === revision);
    const old = pods.find((pod) => pod.metadata.labels?.[revisionLabel] !== revision);
    if (!old) continue;
    if (!fresh && available(old)) candidates.push(node);
    else if (!fresh) create.push(node);
    else if (available(fresh)) remove.push(old);
    else spare--;
  }
  create.push(...candidates.slice(0, Math.max(spare, 0)));
  return { create, remove };
}

/**
 * Of several pods on a node, those that are too many: two may stay where the new one is not available yet and the old one is ready
 * (podsShouldBeOnNode in pkg/controller/daemon/daemon_controller.go).
 */
export function surplusOfSurge(set: DaemonSet, revision: string, alive: readonly Pod[], now: number): Pod[] {
  const isNew = (pod: Pod) => pod.metadata.labels?.[revisionLabel] === revision;
  const fresh = alive.find(isNew);
  const old = alive.find((pod) => !isNew(pod));
  const surplus = alive.filter((pod) => pod !== fresh && pod !== old);
  if (!fresh || !old) return surplus;
  const over = !isPodReady(old) || isPodAvailable(fresh, set.spec?.minReadySeconds ?? 0, now);
  return over ? [...surplus, old] : surplus;
}
