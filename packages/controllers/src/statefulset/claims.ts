import { messageOf } from "@dhow/base";
import {
  deepEqual,
  isStatusError,
  type OwnerReference,
  type PersistentVolumeClaim,
  type Pod,
  refOf,
  type StatefulSet,
} from "@dhow/kube";
import { kinds } from "../kinds.ts";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, nameOf, namespaceOf, uidOf } from "../objects.ts";
import { buildClaims, podName } from "./identity.ts";

/** Creates the claims of an ordinal that are missing; one that is being deleted has to go first. */
export async function createClaims(
  manager: Manager,
  recorder: EventRecorder,
  set: StatefulSet,
  ordinal: number,
): Promise<void> {
  for (const claim of buildClaims(set, ordinal)) {
    const existing = manager.informer(kinds.persistentVolumeClaim).get(namespaceOf(set), nameOf(claim));
    if (existing && isDeleting(existing)) throw new Error(`pvc ${nameOf(claim)} is being deleted`);
    if (existing) continue;
    const about = `Claim ${nameOf(claim)} Pod ${podName(set, ordinal)} in StatefulSet ${nameOf(set)}`;
    try {
      await manager.client.create(claim);
      recorder.event(set, "Normal", "SuccessfulCreate", `create ${about} success`);
    } catch (error) {
      if (isStatusError(error, "AlreadyExists")) continue;
      recorder.event(set, "Warning", "FailedCreate", `create ${about} failed error: ${messageOf(error)}`);
      throw error;
    }
  }
}

/**
 * Makes the set own the claims of an ordinal if they shall go with it, and the pod if they shall go when the set shrinks: the garbage
 * collector does the rest (persistentVolumeClaimRetentionPolicy; updateClaimOwnerRefForSetAndPod).
 */
export async function ownClaims(
  manager: Manager,
  set: StatefulSet,
  ordinal: number,
  pod: Pod | undefined,
): Promise<void> {
  const { whenDeleted = "Retain", whenScaled = "Retain" } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const start = set.spec.ordinals?.start ?? 0;
  const condemned = ordinal >= start + (set.spec.replicas ?? 1) || ordinal < start;
  const setOwns = whenDeleted === "Delete" && !(condemned && whenScaled === "Delete");
  const podOwns = whenScaled === "Delete" && condemned && pod !== undefined;
  for (const wanted of buildClaims(set, ordinal)) {
    const claim = manager.informer(kinds.persistentVolumeClaim).get(namespaceOf(set), nameOf(wanted));
    if (!claim) continue;
    const podNames = podName(set, ordinal);
    const others = (claim.metadata.ownerReferences ?? []).filter(
      (owner) => owner.uid !== uidOf(set) && !(owner.kind === "Pod" && owner.name === podNames),
    );
    const ownerReferences = [
      ...others,
      ...(setOwns ? [reference("apps/v1", "StatefulSet", set)] : []),
      ...(podOwns ? [reference("v1", "Pod", pod)] : []),
    ];
    if (deepEqual(ownerReferences, claim.metadata.ownerReferences ?? [])) continue;
    const { resourceVersion } = claim.metadata;
    await manager.client.patch<PersistentVolumeClaim>(refOf(claim), "merge", {
      metadata: { resourceVersion, ownerReferences },
    });
  }
}

function reference(apiVersion: string, kind: string, owner: StatefulSet | Pod): OwnerReference {
  return { apiVersion, kind, name: nameOf(owner), uid: uidOf(owner) };
}
