import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "@dhow/kube";
import { isDeleting, nameOf, namespaceOf } from "../objects.ts";
import { classOf, findVolume, isClaimBound, reaches } from "../volumes/match.ts";
import { type Filter, never, type NodeCheck } from "./filter.ts";
import { matchesNodeTerms } from "./node-filters.ts";
import type { VolumeView } from "./volume-view.ts";

/** The names of the claims that a pod mounts. */
export function claimNames(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [`${nameOf(pod)}-${volume.name}`] : [];
  });
}

/** Unbound claims whose volume is chosen once the pod's node is known. */
export function delayedClaims(pod: Pod, view: VolumeView): PersistentVolumeClaim[] {
  return claimNames(pod).flatMap((name) => {
    const claim = view.claim(namespaceOf(pod), name);
    return claim && !isClaimBound(claim) ? [claim] : [];
  });
}

function waits(claim: PersistentVolumeClaim, view: VolumeView): boolean {
  return view.storageClass(classOf(claim))?.volumeBindingMode === "WaitForFirstConsumer";
}

function canProvision(claim: PersistentVolumeClaim, node: Node, view: VolumeView): boolean {
  const storageClass = view.storageClass(classOf(claim));
  if (!storageClass || storageClass.provisioner === "kubernetes.io/no-provisioner") return false;
  const selected = claim.metadata.annotations?.["volume.kubernetes.io/selected-node"];
  if (selected && selected !== nameOf(node)) return false;
  const terms = storageClass.allowedTopologies ?? [];
  if (terms.length === 0) return true;
  const nodeTerms = terms.map((term) => ({
    matchExpressions: (term.matchLabelExpressions ?? []).map(({ key, values }) => ({
      key,
      operator: "In" as const,
      values,
    })),
  }));
  return matchesNodeTerms(nodeTerms, node.metadata.labels ?? {}, nameOf(node));
}

/** A ReadWriteOncePod volume is one pod's at a time (pkg/scheduler/framework/plugins/volumerestrictions). */
export const volumeRestrictions: Filter = {
  name: "VolumeRestrictions",
  prepare: ({ pod, key, namespace }, { volumes, cluster }) => {
    const single = claimNames(pod).filter((name) =>
      volumes.claim(namespace, name)?.spec?.accessModes?.includes("ReadWriteOncePod"),
    );
    if (single.length === 0) return undefined;
    const others = cluster.nodes().flatMap((node) => [...node.pods.values()]);
    const taken = others.some(
      (other) =>
        other.namespace === namespace &&
        other.key !== key &&
        claimNames(other.pod).some((name) => single.includes(name)),
    );
    const reason =
      "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";
    return taken ? () => never(reason) : undefined;
  },
};

/** Volumes must be there, or must be possible, on the pod's node (pkg/scheduler/framework/plugins/volumebinding). */
export const volumeBinding: Filter = {
  name: "VolumeBinding",
  prepare: ({ pod }, { volumes: view }) => {
    const names = claimNames(pod);
    if (names.length === 0) return undefined;
    const bound: PersistentVolume[] = [];
    const delayed: PersistentVolumeClaim[] = [];
    for (const name of names) {
      const claim = view.claim(namespaceOf(pod), name);
      if (!claim) return `persistentvolumeclaim "${name}" not found`;
      if (isDeleting(claim)) return `persistentvolumeclaim "${name}" is being deleted`;
      if (claim.status?.phase === "Lost")
        return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName}"`;
      if (isClaimBound(claim)) {
        const volume = view.volume(claim.spec?.volumeName ?? "");
        if (!volume) return `persistentvolume "${claim.spec?.volumeName}" not found`;
        bound.push(volume);
      } else if (waits(claim, view)) delayed.push(claim);
      else return "pod has unbound immediate PersistentVolumeClaims";
    }
    return check(bound, delayed, view);
  },
};

function check(
  bound: readonly PersistentVolume[],
  delayed: readonly PersistentVolumeClaim[],
  view: VolumeView,
): NodeCheck {
  return ({ node }) => {
    if (!node) return undefined;
    if (!bound.every((volume) => reaches(volume, node))) {
      return never("node(s) didn't match PersistentVolume's node affinity");
    }
    const taken = new Set<string>();
    for (const claim of delayed) {
      const volume = findVolume(claim, view.volumes(), node, taken);
      if (volume) taken.add(nameOf(volume));
      else if (!canProvision(claim, node, view)) {
        return never("node(s) didn't find available persistent volumes to bind");
      }
    }
    return undefined;
  };
}
