import { messageOf } from "@dhow/base";
import { type Deployment, isStatusError, type ReplicaSet } from "@dhow/kube";
import { findCondition, withCondition } from "../conditions.ts";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { controllerReference, isControlledBy, nameOf, namespaceOf } from "../objects.ts";
import { isNamespaceTerminating } from "../pod-control.ts";
import { sameTemplate, templateHash, templateHashLabel } from "../template-hash.ts";
import { annotations, currentAnnotations, revisionOf, roomOf, sizeAnnotations } from "./revisions.ts";
import { newReplicas } from "./rollout.ts";
import { sized } from "./revisions.ts";
import { condition, hasDeadline } from "./status.ts";

export interface NewReplicaSetQuestion {
  readonly manager: Manager;
  readonly recorder: EventRecorder;
  readonly deployment: Deployment;
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  /** Whether to create it where there is none. */
  readonly create: boolean;
}

interface Answer {
  readonly deployment: Deployment;
  readonly current: ReplicaSet | undefined;
}

/** The ReplicaSet of the Deployment's template, with the right revision on both of them (getNewReplicaSet, sync.go). */
export async function currentOrNew(question: NewReplicaSetQuestion): Promise<Answer> {
  const { manager, deployment, current, old } = question;
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  if (!current) return question.create ? create(question, revision) : { deployment, current };
  const wanted = currentAnnotations(deployment, current, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  if (wanted || minReadySeconds !== (current.spec?.minReadySeconds ?? 0)) {
    const updated = await manager.client.update<ReplicaSet>({
      ...current,
      metadata: { ...current.metadata, annotations: wanted ?? current.metadata.annotations ?? {} },
      spec: { ...current.spec, selector: current.spec?.selector ?? {}, minReadySeconds },
    });
    return { deployment, current: updated };
  }
  const noted = current.metadata.annotations?.[annotations.revision] ?? "";
  const message = `Found new replica set "${nameOf(current)}"`;
  const found = condition(manager.clock, "Progressing", "True", "FoundNewReplicaSet", message);
  const known = findCondition(deployment.status?.conditions, "Progressing") !== undefined;
  return { deployment: await note(question, deployment, noted, known ? undefined : found), current };
}

/** Writes the revision and perhaps a condition on the Deployment. Its status may carry annotations (deploymentStatusStrategy leaves them be). */
async function note(
  { manager }: NewReplicaSetQuestion,
  deployment: Deployment,
  revision: string,
  next: ReturnType<typeof condition> | undefined,
): Promise<Deployment> {
  const same = deployment.metadata.annotations?.[annotations.revision] === revision;
  if (same && (!next || !hasDeadline(deployment))) return deployment;
  const metadata = {
    ...deployment.metadata,
    annotations: { ...deployment.metadata.annotations, [annotations.revision]: revision },
  };
  const conditions =
    next && hasDeadline(deployment) ? { conditions: withCondition(deployment.status?.conditions, next) } : {};
  return manager.client.updateStatus<Deployment>({
    ...deployment,
    metadata,
    status: { ...deployment.status, ...conditions },
  });
}

async function create(question: NewReplicaSetQuestion, revision: number): Promise<Answer> {
  const { manager, recorder, deployment, old } = question;
  const set = build(deployment, old, revision);
  let made: ReplicaSet;
  try {
    made = await manager.client.create(set);
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) return refused(question, set, error);
    const existing = await manager.client.get<ReplicaSet>({
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      namespace: namespaceOf(set),
      name: nameOf(set),
    });
    const ours =
      isControlledBy(existing, deployment) && sameTemplate(existing.spec?.template, deployment.spec.template);
    if (!ours) return collided(question, error);
    return { deployment: await note(question, deployment, String(revision), undefined), current: existing };
  }
  const replicas = set.spec?.replicas ?? 0;
  if (replicas > 0) {
    const message = `Scaled up replica set ${nameOf(made)} from 0 to ${replicas}`;
    recorder.event(deployment, "Normal", "ScalingReplicaSet", message);
  }
  const message = `Created new replica set "${nameOf(made)}"`;
  const next = condition(manager.clock, "Progressing", "True", "NewReplicaSetCreated", message);
  return { deployment: await note(question, deployment, String(revision), next), current: made };
}

function build(deployment: Deployment, old: readonly ReplicaSet[], revision: number): ReplicaSet {
  const hash = templateHash(deployment.spec.template, deployment.status?.collisionCount);
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  const room = roomOf(deployment);
  const replicas =
    deployment.spec.strategy?.type === "Recreate"
      ? room.desired
      : newReplicas(room, { name: "", replicas: 0, available: 0 }, old.map(sized));
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${nameOf(deployment)}-${hash}`,
      namespace: namespaceOf(deployment),
      labels,
      annotations: {
        ...currentAnnotations(deployment, { metadata: {} }, revision),
        ...sizeAnnotations(room),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** Another template has the same hash: next time it is hashed with a higher count. */
async function collided({ manager, deployment }: NewReplicaSetQuestion, error: unknown): Promise<never> {
  const status = { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
  await manager.client.updateStatus<Deployment>({ ...deployment, status });
  throw error;
}

async function refused(
  { manager, recorder, deployment }: NewReplicaSetQuestion,
  set: ReplicaSet,
  error: unknown,
): Promise<Answer> {
  if (isNamespaceTerminating(error)) return { deployment, current: undefined };
  const message = `Failed to create new replica set "${nameOf(set)}": ${messageOf(error)}`;
  if (hasDeadline(deployment)) {
    const next = condition(manager.clock, "Progressing", "False", "FailedCreate", message);
    const conditions = withCondition(deployment.status?.conditions, next);
    await manager.client.updateStatus<Deployment>({ ...deployment, status: { ...deployment.status, conditions } });
  }
  recorder.event(deployment, "Warning", "FailedCreate", message);
  throw error;
}
