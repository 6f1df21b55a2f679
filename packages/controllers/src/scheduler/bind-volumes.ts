import { type PersistentVolume, type PersistentVolumeClaim, type Pod, refOf } from "@dhow/kube";
import { kinds } from "../kinds.ts";
import type { Manager } from "../manager/manager.ts";
import { nameOf, namespaceOf, uidOf } from "../objects.ts";
import { findVolume, isClaimBound } from "../volumes/match.ts";
import { claimNames } from "./volumes.ts";

/** How long a pod may wait for its volumes once it has a node (VolumeBinding's BindTimeoutSeconds). */
const timeout = 600_000;

/** Gives the pod's unbound claims a volume that reaches the node, or has one provisioned there; resolves when all are bound. */
export async function bindVolumes(manager: Manager, pod: Pod, nodeName: string): Promise<void> {
  const names = claimNames(pod);
  if (names.length === 0) return;
  const claims = manager.informer(kinds.persistentVolumeClaim);
  const node = manager.informer(kinds.node).get(undefined, nodeName);
  const taken = new Set<string>();
  for (const name of names) {
    const claim = claims.get(namespaceOf(pod), name);
    if (!claim || isClaimBound(claim)) continue;
    const volume = findVolume(claim, manager.informer(kinds.persistentVolume).list(), node, taken);
    if (volume) {
      taken.add(nameOf(volume));
      await promise(manager, volume, claim);
    } else await selectNode(manager, claim, nodeName);
  }
  await bound(manager, namespaceOf(pod), names);
}

/** The binder finishes what the reference begins. */
async function promise(manager: Manager, volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
  if (volume.spec?.claimRef?.uid === uidOf(claim)) return;
  const claimRef = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    namespace: namespaceOf(claim),
    name: nameOf(claim),
    uid: uidOf(claim),
  };
  await manager.client.update<PersistentVolume>({
    ...volume,
    metadata: {
      ...volume.metadata,
      annotations: { ...volume.metadata.annotations, "pv.kubernetes.io/bound-by-controller": "yes" },
    },
    spec: { ...volume.spec, claimRef },
  });
}

async function selectNode(manager: Manager, claim: PersistentVolumeClaim, nodeName: string): Promise<void> {
  const annotations = { "volume.kubernetes.io/selected-node": nodeName };
  await manager.client.patch(refOf(claim), "merge", { metadata: { annotations } });
}

function bound(manager: Manager, namespace: string, names: readonly string[]): Promise<void> {
  const claims = manager.informer(kinds.persistentVolumeClaim);
  const all = () =>
    names.every((name) => {
      const claim = claims.get(namespace, name);
      return claim !== undefined && isClaimBound(claim);
    });
  if (all()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const end = (error?: unknown) => {
      stop();
      cancel();
      if (error) reject(error);
      else resolve();
    };
    const cancel = manager.clock.after(timeout, () => end(new Error("timed out waiting for the volumes to be bound")));
    const stop = claims.onChange(() => {
      // Later, because the subscription may call back before it is known here.
      if (all()) queueMicrotask(() => end());
    });
    manager.signal.addEventListener("abort", () => end(manager.signal.reason), { once: true });
  });
}
