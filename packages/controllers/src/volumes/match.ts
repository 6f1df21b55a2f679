import type { Node, PersistentVolume, PersistentVolumeClaim } from "@dhow/kube";
import { isDeleting, nameOf, namespaceOf, uidOf } from "../objects.ts";
import { quantityValue } from "../quantities.ts";
import { matchesNodeTerms } from "../scheduler/node-filters.ts";
import { labelSelectorMatcher } from "../selectors.ts";

/** The class that a claim or a volume names, by field or by the annotation from before there was a field. */
export function classOf(object: PersistentVolume | PersistentVolumeClaim): string {
  return (
    object.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? object.spec?.storageClassName ?? ""
  );
}

/** Whether the volume is promised to this very claim. */
export function isClaimedBy(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  if (!reference || reference.name !== nameOf(claim) || reference.namespace !== namespaceOf(claim)) return false;
  return !reference.uid || reference.uid === uidOf(claim);
}

export function isClaimBound(claim: PersistentVolumeClaim): boolean {
  return (
    Boolean(claim.spec?.volumeName) && claim.metadata.annotations?.["pv.kubernetes.io/bind-completed"] !== undefined
  );
}

/** Whether the volume can be used on a node. */
export function reaches(volume: PersistentVolume, node: Node): boolean {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return !terms || matchesNodeTerms(terms, node.metadata.labels ?? {}, nameOf(node));
}

function satisfies(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const modes = volume.spec?.accessModes ?? [];
  const asked = quantityValue(claim.spec?.resources?.requests?.["storage"]);
  return (
    quantityValue(volume.spec?.capacity?.["storage"]) >= asked &&
    (claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode)) &&
    (volume.spec?.volumeMode ?? "Filesystem") === (claim.spec?.volumeMode ?? "Filesystem")
  );
}

/**
 * The volume for a claim: one that is promised to it already, else the smallest that will do (pkg/controller/volume/persistentvolume,
 * FindMatchingVolume). With a node only volumes that reach it.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node?: Node,
  excluded: ReadonlySet<string> = new Set(),
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined;
  const selected = claim.spec?.selector && labelSelectorMatcher(claim.spec.selector);
  for (const volume of volumes) {
    if (excluded.has(nameOf(volume)) || isDeleting(volume)) continue;
    if (volume.spec?.claimRef) {
      if (isClaimedBy(volume, claim) && satisfies(volume, claim) && (!node || reaches(volume, node))) return volume;
      continue;
    }
    if (volume.status?.phase !== "Available" || classOf(volume) !== classOf(claim) || !satisfies(volume, claim))
      continue;
    if (selected && !selected(volume.metadata.labels ?? {})) continue;
    if (node && !reaches(volume, node)) continue;
    if (!best || size(volume) < size(best)) best = volume;
  }
  return best;
}

function size(volume: PersistentVolume): number {
  return quantityValue(volume.spec?.capacity?.["storage"]);
}
