import type { Deployment, ReplicaSet } from "@dhow/kube";
import { byCreation, nameOf } from "../objects.ts";
import { sameTemplate } from "../template-hash.ts";
import { resolveRoom, type Room, type Sized } from "./rollout.ts";

/** Annotations by which a Deployment keeps its history on its ReplicaSets (pkg/controller/deployment/util/deployment_util.go). */
export const annotations = {
  revision: "deployment.kubernetes.io/revision",
  history: "deployment.kubernetes.io/revision-history",
  desired: "deployment.kubernetes.io/desired-replicas",
  max: "deployment.kubernetes.io/max-replicas",
};

const notCopied = new Set([
  ...Object.values(annotations),
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
]);

/** Of the revision history, as much as fits. */
const historyLength = 2000;

/** How many pods there may and must be, by the Deployment's strategy. */
export function roomOf(deployment: Deployment): Room {
  const desired = deployment.spec.replicas ?? 1;
  const strategy = deployment.spec.strategy;
  if (strategy?.type === "Recreate") return { desired, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = strategy?.rollingUpdate ?? {};
  return resolveRoom(desired, maxSurge, maxUnavailable);
}

export function sized(set: ReplicaSet): Sized {
  return { name: nameOf(set), replicas: set.spec?.replicas ?? 1, available: set.status?.availableReplicas ?? 0 };
}

export function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[annotations.revision] ?? 0) || 0;
}

/** The ReplicaSet of the current template (the oldest, should there be several), and all others, oldest first. */
export function splitRevisions(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): { current: ReplicaSet | undefined; old: ReplicaSet[] } {
  const ordered = [...sets].sort(byCreation);
  const current = ordered.find((set) => sameTemplate(set.spec?.template, deployment.spec.template));
  return { current, old: ordered.filter((set) => set !== current) };
}

/** The annotations that the ReplicaSet of the current template should carry (SetNewReplicaSetAnnotations); undefined if it has them. */
export function currentAnnotations(
  deployment: Deployment,
  set: { readonly metadata: { readonly annotations?: Record<string, string> } },
  revision: number,
): Record<string, string> | undefined {
  const before = set.metadata.annotations ?? {};
  const next = { ...before };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!notCopied.has(key)) next[key] = value;
  }
  const oldRevision = before[annotations.revision];
  if ((Number(oldRevision) || 0) < revision) {
    next[annotations.revision] = String(revision);
    if (oldRevision) next[annotations.history] = appended(before[annotations.history], oldRevision);
  }
  const changed = Object.keys(next).some((key) => next[key] !== before[key]);
  return changed ? next : undefined;
}

function appended(history: string | undefined, revision: string): string {
  let list = [...(history ? history.split(",") : []), revision];
  while (list.join(",").length > historyLength) list = list.slice(1);
  return list.join(",");
}

/** The annotations that tell how large the Deployment was when this ReplicaSet was sized. */
export function sizeAnnotations(room: Room): Record<string, string> {
  return { [annotations.desired]: String(room.desired), [annotations.max]: String(room.desired + room.maxSurge) };
}

/** Someone changed `replicas` since a ReplicaSet was last sized (isScalingEvent). */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = set.metadata.annotations?.[annotations.desired];
    return (
      (set.spec?.replicas ?? 1) > 0 && desired !== undefined && Number(desired) !== (deployment.spec.replicas ?? 1)
    );
  });
}
