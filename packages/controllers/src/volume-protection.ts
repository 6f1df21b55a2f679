import { isStatusError, type PersistentVolume, type PersistentVolumeClaim, type Pod, refOf } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, keyOf, nameOf, namespaceOf, splitKey } from "./objects.ts";
import { isPodTerminal } from "./pods.ts";
import { claimNames } from "./scheduler/volumes.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";

/** A claim that a pod uses stays until the pod is gone. */
export const claimProtection: Controller = {
  name: "persistentvolumeclaim-protection",
  start(manager) {
    const claims = manager.informer(kinds.persistentVolumeClaim);
    const users = manager.index(kinds.pod, "claims", (pod) =>
      claimNames(pod).map((name) => `${namespaceOf(pod)}/${name}`),
    );
    const queue = manager.queue("persistentvolumeclaim-protection", {
      reconcile: async (key) => {
        const { namespace, name } = splitKey(key);
        const claim = claims.get(namespace, name);
        // Only pods that have a node can have it mounted.
        const inUse = users.get(key).some((pod) => pod.spec.nodeName && !isPodTerminal(pod));
        if (claim) await protect(manager, claim, claimFinalizer, inUse);
      },
    });
    claims.onChange((claim) => {
      if (claim) queue.add(keyOf(claim));
    });
    manager.informer(kinds.pod).onChange((pod, old) => {
      if (pod && !isPodTerminal(pod)) return;
      for (const name of claimNames((pod ?? old) as Pod)) queue.add(`${namespaceOf((pod ?? old) as Pod)}/${name}`);
    });
  },
};

/** A volume that is bound stays until its claim is gone. */
export const volumeProtection: Controller = {
  name: "persistentvolume-protection",
  start(manager) {
    const volumes = manager.informer(kinds.persistentVolume);
    const queue = manager.queue("persistentvolume-protection", {
      reconcile: async (name) => {
        const volume = volumes.get(undefined, name);
        if (volume) await protect(manager, volume, volumeFinalizer, volume.status?.phase === "Bound");
      },
    });
    volumes.onChange((volume) => {
      if (volume) queue.add(nameOf(volume));
    });
  },
};

async function protect(
  manager: Manager,
  object: PersistentVolumeClaim | PersistentVolume,
  finalizer: string,
  inUse: boolean,
): Promise<void> {
  const finalizers = object.metadata.finalizers ?? [];
  const has = finalizers.includes(finalizer);
  if (isDeleting(object) ? inUse || !has : has) return;
  const next = isDeleting(object) ? finalizers.filter((name) => name !== finalizer) : [...finalizers, finalizer];
  const { resourceVersion } = object.metadata;
  try {
    await manager.client.patch(refOf(object), "merge", { metadata: { resourceVersion, finalizers: next } });
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}
