import type {
  CSIDriver,
  CSINode,
  ObjectMeta,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from "@dhow/kube";
import { accessModesCell, isMarked, none, unset } from "./cells.ts";
import { ageColumn, column, nameColumn, table, wide } from "./definition.ts";
import { since } from "./duration.ts";

/** The class as the annotation of old says it, else the field. */
function classOf(metadata: ObjectMeta, field: string | undefined): string {
  return metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? field ?? "";
}

const persistentVolumes = table<PersistentVolume>({
  columns: [
    nameColumn,
    column("Capacity"),
    column("Access Modes"),
    column("Reclaim Policy"),
    column("Status"),
    column("Claim"),
    column("StorageClass"),
    column("VolumeAttributesClass"),
    column("Reason"),
    ageColumn,
    wide("VolumeMode"),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec?.capacity?.["storage"] ?? "0",
    accessModesCell(spec?.accessModes),
    spec?.persistentVolumeReclaimPolicy ?? "",
    metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
    spec?.claimRef ? `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}` : "",
    classOf(metadata, spec?.storageClassName),
    spec?.volumeAttributesClassName ?? unset,
    status?.reason ?? "",
    since(metadata.creationTimestamp, now),
    spec?.volumeMode ?? unset,
  ],
});

const persistentVolumeClaims = table<PersistentVolumeClaim>({
  columns: [
    nameColumn,
    column("Status"),
    column("Volume"),
    column("Capacity"),
    column("Access Modes"),
    column("StorageClass"),
    column("VolumeAttributesClass"),
    ageColumn,
    wide("VolumeMode"),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
    spec?.volumeName ?? "",
    spec?.volumeName ? (status?.capacity?.["storage"] ?? "0") : "",
    spec?.volumeName ? accessModesCell(status?.accessModes) : "",
    classOf(metadata, spec?.storageClassName),
    spec?.volumeAttributesClassName ?? unset,
    since(metadata.creationTimestamp, now),
    spec?.volumeMode ?? unset,
  ],
});

const storageClasses = table<StorageClass>({
  columns: [
    nameColumn,
    column("Provisioner"),
    column("ReclaimPolicy"),
    column("VolumeBindingMode"),
    column("AllowVolumeExpansion"),
    ageColumn,
  ],
  cells: (storageClass, now) => {
    const { metadata, provisioner } = storageClass;
    const standard = isMarked(
      metadata,
      "storageclass.kubernetes.io/is-default-class",
      "storageclass.beta.kubernetes.io/is-default-class",
    );
    return [
      `${metadata.name ?? ""}${standard ? " (default)" : ""}`,
      provisioner,
      storageClass.reclaimPolicy ?? "Delete",
      storageClass.volumeBindingMode ?? "Immediate",
      storageClass.allowVolumeExpansion ?? false,
      since(metadata.creationTimestamp, now),
    ];
  },
});

const volumeAttributesClasses = table<VolumeAttributesClass>({
  columns: [nameColumn, column("DriverName"), ageColumn],
  cells: ({ metadata, driverName }, now) => [metadata.name ?? "", driverName, since(metadata.creationTimestamp, now)],
});

const volumeAttachments = table<VolumeAttachment>({
  columns: [
    nameColumn,
    { ...column("Attacher"), format: "name" },
    column("PV"),
    column("Node"),
    column("Attached", "boolean"),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec.attacher,
    spec.source.persistentVolumeName ?? "",
    spec.nodeName,
    status?.attached ?? false,
    since(metadata.creationTimestamp, now),
  ],
});

const csiNodes = table<CSINode>({
  columns: [nameColumn, column("Drivers", "integer"), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    spec.drivers?.length ?? 0,
    since(metadata.creationTimestamp, now),
  ],
});

const csiDrivers = table<CSIDriver>({
  columns: [
    nameColumn,
    column("AttachRequired", "boolean"),
    column("PodInfoOnMount", "boolean"),
    column("StorageCapacity", "boolean"),
    column("TokenRequests"),
    column("RequiresRepublish", "boolean"),
    column("Modes"),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    spec.tokenRequests?.map(({ audience }) => audience).join(",") ?? unset,
    spec.requiresRepublish ?? false,
    spec.volumeLifecycleModes?.join(",") || none,
    since(metadata.creationTimestamp, now),
  ],
});

export const storageTables = {
  persistentvolumes: persistentVolumes,
  persistentvolumeclaims: persistentVolumeClaims,
  "storageclasses.storage.k8s.io": storageClasses,
  "volumeattributesclasses.storage.k8s.io": volumeAttributesClasses,
  "volumeattachments.storage.k8s.io": volumeAttachments,
  "csinodes.storage.k8s.io": csiNodes,
  "csidrivers.storage.k8s.io": csiDrivers,
} as const;
