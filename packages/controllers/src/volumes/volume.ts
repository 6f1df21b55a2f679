import { messageOf } from "@dhow/base";
import type { PersistentVolume, PersistentVolumeClaim } from "@dhow/kube";
import { kinds } from "../kinds.ts";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, uidOf } from "../objects.ts";
import { provisionerName, unprovision } from "./provision.ts";

/** Keeps one volume's phase, and reclaims it when its claim is gone (pv_controller.go, syncVolume). Calls back where the claim has to act. */
export async function syncVolume(
  manager: Manager,
  recorder: EventRecorder,
  name: string,
  enqueueClaim: (key: string) => void,
): Promise<void> {
  const volume = manager.informer(kinds.persistentVolume).get(undefined, name);
  const reference = volume?.spec?.claimRef;
  if (!volume) return;
  if (!reference) return setPhase(manager, volume, "Available");
  const claimKey = `${reference.namespace}/${reference.name}`;
  if (!reference.uid) {
    enqueueClaim(claimKey);
    return setPhase(manager, volume, "Available");
  }
  const claim = await claimOf(manager, volume);
  if (!claim) {
    if (volume.status?.phase === "Bound" || volume.status?.phase === "Pending" || !volume.status?.phase) {
      return setPhase(manager, volume, "Released");
    }
    return reclaim(manager, recorder, volume);
  }
  if (!claim.spec?.volumeName) enqueueClaim(claimKey);
  else if (claim.spec.volumeName === name) await setPhase(manager, volume, "Bound");
  else await letGo(manager, volume);
}

/** The claim that the volume is promised to; an informer that shows none may lag behind, so the server is asked. */
async function claimOf(manager: Manager, volume: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
  const { namespace = "", name = "", uid } = volume.spec?.claimRef ?? {};
  const known = manager.informer(kinds.persistentVolumeClaim).get(namespace, name);
  if (known && uidOf(known) === uid) return known;
  const ref = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name };
  const live = await manager.client.find<PersistentVolumeClaim>(ref);
  return live && uidOf(live) === uid ? live : undefined;
}

async function setPhase(manager: Manager, volume: PersistentVolume, phase: string): Promise<void> {
  if (volume.status?.phase === phase) return;
  const status = { ...volume.status, phase } as NonNullable<PersistentVolume["status"]>;
  await manager.client.updateStatus<PersistentVolume>({ ...volume, status });
}

async function reclaim(manager: Manager, recorder: EventRecorder, volume: PersistentVolume): Promise<void> {
  if (volume.spec?.persistentVolumeReclaimPolicy !== "Delete" || isDeleting(volume)) return;
  if (volume.metadata.annotations?.["pv.kubernetes.io/provisioned-by"] !== provisionerName) return;
  try {
    await unprovision(manager, volume);
  } catch (error) {
    recorder.event(volume, "Warning", "VolumeFailedDelete", messageOf(error));
    throw error;
  }
}

/** Its claim took another volume: this one is free again, or not wanted any more if it was made for the claim. */
async function letGo(manager: Manager, volume: PersistentVolume): Promise<void> {
  const annotations = { ...volume.metadata.annotations };
  if (annotations["pv.kubernetes.io/provisioned-by"] === provisionerName) {
    if (volume.status?.phase !== "Released") await setPhase(manager, volume, "Released");
    else if (volume.spec?.persistentVolumeReclaimPolicy === "Delete") await unprovision(manager, volume);
    return;
  }
  if (annotations["pv.kubernetes.io/bound-by-controller"] === undefined) return;
  delete annotations["pv.kubernetes.io/bound-by-controller"];
  const { claimRef: _, ...spec } = volume.spec ?? {};
  await manager.client.update<PersistentVolume>({ ...volume, metadata: { ...volume.metadata, annotations }, spec });
}
