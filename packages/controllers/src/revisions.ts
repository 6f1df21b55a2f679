import { type ControllerRevision, deepEqual, isStatusError, type KubeObject, refOf } from "@dhow/kube";
import type { Manager } from "./manager/manager.ts";
import { byCreation, controllerReference, nameOf, namespaceOf } from "./objects.ts";
import { templateHash } from "./template-hash.ts";

/** The label of a ControllerRevision that carries its hash. */
const hashLabel = "controller.kubernetes.io/hash";

interface Versioned extends KubeObject {
  spec: { template: unknown; selector: { matchLabels?: Record<string, string> } };
  status?: { collisionCount?: number };
}

/** Revisions by their number, oldest first. */
export function ordered(revisions: readonly ControllerRevision[]): ControllerRevision[] {
  return [...revisions].sort((a, b) => a.revision - b.revision || byCreation(a, b));
}

/** The revision of what the object's template is now: found, moved to the end, or created (pkg/controller/history, and its users' getStatefulSetRevisions and constructHistory). */
export async function currentRevision(
  manager: Manager,
  owner: Versioned,
  existing: readonly ControllerRevision[],
): Promise<{ current: ControllerRevision; all: ControllerRevision[] }> {
  const all = ordered(existing);
  const data = { spec: { template: { ...(owner.spec.template as object), $patch: "replace" } } };
  const hash = templateHash(data, owner.status?.collisionCount || undefined);
  const next = (all.at(-1)?.revision ?? 0) + 1;
  const equal = all.filter((revision) => deepEqual(revision.data, data)).at(-1);
  if (equal && equal === all.at(-1)) return { current: equal, all };
  if (equal) {
    const moved = await manager.client.update<ControllerRevision>({ ...equal, revision: next });
    return { current: moved, all: [...all.filter((revision) => revision !== equal), moved] };
  }
  const revision: ControllerRevision = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${nameOf(owner)}-${hash}`,
      namespace: namespaceOf(owner),
      labels: { ...templateLabels(owner), [hashLabel]: hash },
      ...(owner.metadata.annotations ? { annotations: owner.metadata.annotations } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision: next,
  };
  try {
    const created = await manager.client.create(revision);
    return { current: created, all: [...all, created] };
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) throw error;
    const found = await manager.client.get<ControllerRevision>(refOf(revision));
    const ours = found.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid);
    if (ours && deepEqual(found.data, data)) return { current: found, all: ordered([...all, found]) };
    throw error;
  }
}

function templateLabels(owner: Versioned): Record<string, string> {
  const template = owner.spec.template as { metadata?: { labels?: Record<string, string> } };
  return template.metadata?.labels ?? {};
}

/** Deletes revisions beyond the limit that nothing uses any more, oldest first. */
export async function truncateHistory(
  manager: Manager,
  all: readonly ControllerRevision[],
  used: ReadonlySet<string>,
  limit: number,
): Promise<void> {
  const unused = ordered(all).filter((revision) => !used.has(nameOf(revision)));
  for (const revision of unused.slice(0, Math.max(unused.length - limit, 0))) {
    try {
      await manager.client.delete(refOf(revision));
    } catch (error) {
      if (!isStatusError(error, "NotFound")) throw error;
    }
  }
}
