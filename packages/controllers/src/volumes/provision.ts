import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isStatusError, type PersistentVolume, type PersistentVolumeClaim, refOf, type StorageClass } from "@dhow/kube";
import type { Manager } from "../manager/manager.ts";
import { nameOf, namespaceOf, uidOf } from "../objects.ts";

/** Makes volumes that are folders on the machine that all nodes share. */
export const provisionerName = "dhow.dev/local";

const defaultFolder = "/var/lib/dhow/volumes";

/** Creates the volume of a claim: a folder that the kubelet makes when a pod first mounts it. */
export async function provision(
  manager: Manager,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
): Promise<void> {
  const recorder = manager.recorder(provisionerName);
  const key = `${namespaceOf(claim)}/${nameOf(claim)}`;
  const name = `pvc-${uidOf(claim)}`;
  const path = join(manager.options.volumeFolder ?? defaultFolder, `${name}_${namespaceOf(claim)}_${nameOf(claim)}`);
  const volume: PersistentVolume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": provisionerName } },
    spec: {
      accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"],
      capacity: { storage: claim.spec?.resources?.requests?.["storage"] ?? "0" },
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace: namespaceOf(claim),
        name: nameOf(claim),
        uid: uidOf(claim),
      },
      hostPath: { path, type: "DirectoryOrCreate" },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: nameOf(storageClass),
      ...(storageClass.mountOptions ? { mountOptions: storageClass.mountOptions } : {}),
      volumeMode: "Filesystem",
    },
  };
  if (claim.spec?.volumeMode === "Block") {
    const message = `failed to provision volume with StorageClass "${nameOf(storageClass)}": block volumes are not supported`;
    recorder.event(claim, "Warning", "ProvisioningFailed", message);
    return;
  }
  recorder.event(claim, "Normal", "Provisioning", `External provisioner is provisioning volume for claim "${key}"`);
  try {
    await manager.client.create(volume);
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) throw error;
  }
  recorder.event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${name}`);
}

/** Removes what {@link provision} made, the data included. */
export async function unprovision(manager: Manager, volume: PersistentVolume): Promise<void> {
  const path = volume.spec?.hostPath?.path;
  const folder = manager.options.volumeFolder ?? defaultFolder;
  // Only ever below the folder of volumes, whatever somebody wrote into the object.
  if (path && join(path).startsWith(join(folder, "pvc-"))) {
    await (manager.options.deleteVolumeFolder?.(path) ?? rm(path, { recursive: true, force: true }));
  }
  await manager.client.delete(refOf(volume), { preconditions: { uid: uidOf(volume) } });
}
