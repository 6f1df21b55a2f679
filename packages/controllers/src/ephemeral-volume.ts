import { isStatusError, type PersistentVolumeClaim } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { controllerReference, isControlledBy, isDeleting, keyOf, nameOf, namespaceOf, splitKey } from "./objects.ts";

/** Creates the claims of a pod's `ephemeral` volumes, which go with the pod. */
export const ephemeralVolume: Controller = {
  name: "ephemeral-volume",
  start(manager) {
    const recorder = manager.recorder("ephemeral_volume");
    const pods = manager.informer(kinds.pod);
    const claims = manager.informer(kinds.persistentVolumeClaim);
    const queue = manager.queue("ephemeral-volume", {
      reconcile: async (key) => {
        const { namespace, name } = splitKey(key);
        const pod = pods.get(namespace, name);
        if (!pod || isDeleting(pod)) return;
        for (const { name: volume, ephemeral } of pod.spec.volumes ?? []) {
          if (!ephemeral) continue;
          const { metadata, spec } = ephemeral.volumeClaimTemplate ?? {};
          const claim: PersistentVolumeClaim = {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: {
              ...(metadata?.labels ? { labels: metadata.labels } : {}),
              ...(metadata?.annotations ? { annotations: metadata.annotations } : {}),
              name: `${nameOf(pod)}-${volume}`,
              namespace: namespaceOf(pod),
              ownerReferences: [controllerReference(pod)],
            },
            spec: spec ?? {},
          };
          const existing = claims.get(namespace, nameOf(claim));
          if (existing && !isControlledBy(existing, pod)) {
            throw new Error(`PVC ${key}-${volume} was not created for the pod`);
          }
          if (existing) continue;
          try {
            await manager.client.create(claim);
          } catch (error) {
            if (isStatusError(error, "AlreadyExists")) continue;
            recorder.event(pod, "Warning", "FailedBinding", `ephemeral volume ${volume}: ${String(error)}`);
            throw error;
          }
        }
      },
    });
    pods.onChange((pod, old) => {
      if (pod && !old && (pod.spec.volumes ?? []).some(({ ephemeral }) => ephemeral)) queue.add(keyOf(pod));
    });
  },
};
