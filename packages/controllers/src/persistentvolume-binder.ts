import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { keyOf, nameOf } from "./objects.ts";
import { syncClaim } from "./volumes/claim.ts";
import { classOf, isClaimBound } from "./volumes/match.ts";
import { syncVolume } from "./volumes/volume.ts";

/** Brings claims and volumes together, and provisions volumes of `dhow.dev/local`. */
export const persistentvolumeBinder: Controller = {
  name: "persistentvolume-binder",
  start(manager) {
    const recorder = manager.recorder("persistentvolume-controller");
    const claims = manager.informer(kinds.persistentVolumeClaim);
    const volumes = manager.informer(kinds.persistentVolume);
    // One worker: two claims must not choose the same volume.
    const queue = manager.queue("persistentvolume-binder", {
      workers: 1,
      reconcile: (key) => {
        const [what, rest] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
        if (what === "claim") return syncClaim(manager, recorder, rest);
        return syncVolume(manager, recorder, rest, (claimKey) => queue.add(`claim ${claimKey}`));
      },
    });
    const unbound = (className?: string) => {
      for (const claim of claims.list()) {
        if (isClaimBound(claim) || (className !== undefined && classOf(claim) !== className)) continue;
        queue.add(`claim ${keyOf(claim)}`);
      }
    };
    claims.onChange((claim, old) => {
      queue.add(`claim ${keyOf((claim ?? old) as PersistentVolumeClaim)}`);
      const volume = old?.spec?.volumeName;
      if (!claim && volume) queue.add(`volume ${volume}`);
    });
    volumes.onChange((volume, old) => {
      const changed = (volume ?? old) as PersistentVolume;
      queue.add(`volume ${nameOf(changed)}`);
      const reference = changed.spec?.claimRef;
      if (reference) queue.add(`claim ${reference.namespace}/${reference.name}`);
      else if (volume?.status?.phase === "Available" && old?.status?.phase !== "Available") unbound(classOf(volume));
    });
    manager
      .informer(kinds.storageClass)
      .onChange((storageClass, old) => unbound(nameOf((storageClass ?? old) as StorageClass)));
  },
};
