import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isStatusError, type PersistentVolume, type PersistentVolumeClaim, refOf, type StorageClass } from "@dhow/kube";
import { kinds } from "../kinds.ts";
import type { Manager } from "../manager/manager.ts";
import { nameOf, namespaceOf, uidOf } from "../objects.ts";

/** Makes volumes that are folders on the machine that all nodes share. */
export const provisionerName = "dhow.dev/local";

const defaultFolder = "/var/lib/dhow/volumes";

/** On a claim: what its volume is to be called, as long as no other volume has the name. */
const nameAnnotation = "dhow.dev/volume-name";

/** Creates the volume of a claim: a folder that the kubelet makes when a pod first mounts it. */
export async function provision(
  manager: Manager,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
): Promise<void> {
  const recorder = manager.recorder(provisionerName);
  const key = `${namespaceOf(claim)}/${nameOf(claim)}`;
  const unique = `pvc-${uidOf(claim)}`;
  const name = freeName(manager, claim) ?? unique;
  const path = join(manager.options.volumeFolder ?? defaultFolder, `${unique}_${namespaceOf(claim)}_${nameOf(claim)}`);
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
    // The name that was asked for was taken a moment ago: the next turn sees that it is, and takes the other.
    if (!isStatusError(error, "AlreadyExists") || name !== unique) throw error;
  }
  recorder.event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${name}`);
}

/** The name that the claim asks for, if no volume has it. */
function freeName(manager: Manager, claim: PersistentVolumeClaim): string | undefined {
  const name = claim.metadata.annotations?.[nameAnnotation];
  if (!name) return undefined;
  return manager.informer(kinds.persistentVolume).get(undefined, name) ? undefined : name;
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
