import type { KubeObject } from "@dhow/kube";

/** An owner named twice counts once, with a warning (apiserver/pkg/endpoints/handlers/create.go dedupOwnerReferences). */
export function dropDuplicateOwners(object: KubeObject, warn: (message: string) => void, when = ""): void {
  const owners = object.metadata.ownerReferences ?? [];
  const unique = new Map(owners.map((owner) => [owner.uid, owner]));
  if (unique.size === owners.length) return;
  const repeated = owners.filter((owner, index) => owners.findIndex((other) => other.uid === owner.uid) !== index);
  object.metadata.ownerReferences = owners.filter(
    (owner, index) => owners.findIndex((other) => other.uid === owner.uid) === index,
  );
  const uids = [...new Set(repeated.map((owner) => owner.uid))].join(", ");
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  );
}
