import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "@dhow/kube";

/** The storage objects, as the informers show them. */
export interface VolumeView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}
