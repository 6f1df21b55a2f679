import type { Clock } from "@dhow/base";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "@dhow/kube";
import { findCondition, withCondition, withoutCondition } from "../conditions.ts";
import { millisecondsOf, nameOf, timestamp } from "../objects.ts";
import { positive } from "../replicaset.ts";
import { roomOf } from "./revisions.ts";

/** `progressDeadlineSeconds` of somebody who does not want one. */
const noDeadline = 2 ** 31 - 1;

export function condition(
  clock: Clock,
  type: string,
  status: "True" | "False" | "Unknown",
  reason: string,
  message: string,
): DeploymentCondition {
  const now = timestamp(clock);
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now };
}

export function hasDeadline(deployment: Deployment): boolean {
  const { progressDeadlineSeconds } = deployment.spec;
  return progressDeadlineSeconds !== undefined && progressDeadlineSeconds !== noDeadline;
}

/** All that was asked for is there, is new and is available (DeploymentComplete). */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = deployment.spec.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const count = (
    status: DeploymentStatus | undefined,
    field: "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas",
  ) => status?.[field] ?? 0;
  const old = (status: DeploymentStatus | undefined) => count(status, "replicas") - count(status, "updatedReplicas");
  return (
    count(after, "updatedReplicas") > count(before, "updatedReplicas") ||
    old(after) < old(before) ||
    count(after, "readyReplicas") > count(before, "readyReplicas") ||
    count(after, "availableReplicas") > count(before, "availableReplicas")
  );
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const progressing = findCondition(status.conditions, "Progressing");
  if (!progressing || progressing.reason === "NewReplicaSetAvailable") return false;
  if (progressing.reason === "ProgressDeadlineExceeded") return true;
  const deadline = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
  return millisecondsOf(progressing.lastUpdateTime) + deadline < now;
}

/** Counts over all ReplicaSets, and the condition Available (calculateStatus). */
export function countStatus(
  clock: Clock,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
): DeploymentStatus {
  const sum = (count: (set: ReplicaSet) => number | undefined) => sets.reduce((all, set) => all + (count(set) ?? 0), 0);
  const available = sum((set) => set.status?.availableReplicas);
  const asked = sum((set) => set.spec?.replicas);
  const { desired, maxUnavailable } = roomOf(deployment);
  const enough = available >= desired - maxUnavailable;
  const conditions = withCondition(
    deployment.status?.conditions,
    enough
      ? condition(clock, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
      : condition(
          clock,
          "Available",
          "False",
          "MinimumReplicasUnavailable",
          "Deployment does not have minimum availability.",
        ),
  );
  return {
    ...positive("observedGeneration", deployment.metadata.generation ?? 0),
    ...positive(
      "replicas",
      sum((set) => set.status?.replicas),
    ),
    ...positive("updatedReplicas", current?.status?.replicas ?? 0),
    ...positive(
      "readyReplicas",
      sum((set) => set.status?.readyReplicas),
    ),
    ...positive("availableReplicas", available),
    ...positive("unavailableReplicas", Math.max(asked - available, 0)),
    terminatingReplicas: sum((set) => set.status?.terminatingReplicas),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions,
  };
}

/** The whole status during a rollout: counts, and the conditions Progressing and ReplicaFailure (syncRolloutStatus). */
export function rolloutStatus(
  clock: Clock,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
): DeploymentStatus {
  const status = countStatus(clock, deployment, sets, current);
  let conditions = status.conditions ?? [];
  const before = findCondition(deployment.status?.conditions, "Progressing");
  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, "Progressing");
  const finished =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && before?.reason === "NewReplicaSetAvailable";
  if (hasDeadline(deployment) && !finished) {
    const subject = current ? `ReplicaSet "${nameOf(current)}"` : `Deployment "${nameOf(deployment)}"`;
    conditions = progress(clock, deployment, { ...status, conditions }, subject);
  }
  const failure = [current, ...sets.filter((set) => set !== current)]
    .map((set) => findCondition(set?.status?.conditions, "ReplicaFailure"))
    .find((found) => found !== undefined);
  if (failure) {
    const { reason = "", message = "" } = failure;
    conditions = withCondition(conditions, {
      ...condition(clock, "ReplicaFailure", "True", reason, message),
      ...(failure.lastTransitionTime ? { lastTransitionTime: failure.lastTransitionTime } : {}),
    });
  } else conditions = withoutCondition(conditions, "ReplicaFailure");
  return { ...status, conditions };
}

function progress(
  clock: Clock,
  deployment: Deployment,
  status: DeploymentStatus,
  subject: string,
): DeploymentCondition[] {
  const conditions = status.conditions ?? [];
  const before = findCondition(deployment.status?.conditions, "Progressing");
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, condition(clock, "Progressing", "True", "NewReplicaSetAvailable", message));
  }
  if (isProgressing(deployment.status, status)) {
    const next = condition(clock, "Progressing", "True", "ReplicaSetUpdated", `${subject} is progressing.`);
    if (before?.status === "True" && before.lastTransitionTime) next.lastTransitionTime = before.lastTransitionTime;
    // Replaced even when nothing but the time differs: the deadline counts from here.
    return [...withoutCondition(conditions, "Progressing"), next];
  }
  if (isTimedOut(deployment, status, clock.now())) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(conditions, condition(clock, "Progressing", "False", "ProgressDeadlineExceeded", message));
  }
  return conditions;
}

/** In how many milliseconds the deadline has to be looked at, because nothing else may happen until then (requeueStuckDeployment). */
export function nextDeadline(clock: Clock, deployment: Deployment, status: DeploymentStatus): number | undefined {
  const current = findCondition(deployment.status?.conditions, "Progressing");
  if (!hasDeadline(deployment) || !current || isComplete(deployment, status)) return undefined;
  if (current.reason === "ProgressDeadlineExceeded") return undefined;
  const deadline = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
  return Math.max(millisecondsOf(current.lastUpdateTime) + deadline - clock.now(), 0) + 1000;
}
