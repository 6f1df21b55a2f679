import {
  deepEqual,
  type FieldFault,
  fieldFault,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type StorageClass,
  type VolumeAttachment,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable } from "../validation/metadata.ts";
import { checkQualifiedName, subdomainName } from "../validation/names.ts";
import { compareQuantities } from "../validation/quantities.ts";
import { accessModeFaults, claimSpecFaults } from "./persistent-volume-claim-spec.ts";
import { nodeSelectorFaults } from "./pod/scheduling.ts";

// pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go, pkg/apis/storage

const { forbidden, invalid, notSupported, required } = fieldFault;

export const persistentVolumeClaims: Strategy = {
  applyDefaults(object) {
    const { spec, status } = object as PersistentVolumeClaim;
    if (spec) spec.volumeMode ??= "Filesystem";
    if (status) status.phase ||= "Pending";
    if (!spec?.dataSource && spec?.dataSourceRef && !spec.dataSourceRef.namespace) {
      const { namespace: _, ...reference } = spec.dataSourceRef;
      spec.dataSource = reference;
    } else if (spec?.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  },
  prepareForCreate(object) {
    (object as PersistentVolumeClaim).status = { phase: "Pending" };
  },
  validate: (object) => [...claimSpecFaults((object as PersistentVolumeClaim).spec, "spec")],
  validateUpdate: (object, old) => [
    ...claimUpdateFaults(object as PersistentVolumeClaim, old as PersistentVolumeClaim),
  ],
};

/** Claims are fixed, but for growing when they are bound, and for a class given later. */
function* claimUpdateFaults(
  { spec }: PersistentVolumeClaim,
  { spec: old, status }: PersistentVolumeClaim,
): Generator<FieldFault> {
  if (!spec || !old) return;
  const bound = status?.phase === "Bound";
  // What may be given later counts as not there on either side while the claim has none.
  const rest = (from: NonNullable<PersistentVolumeClaim["spec"]>) => ({
    ...from,
    ...(bound ? { resources: undefined } : {}),
    ...(old.volumeName ? {} : { volumeName: undefined }),
    ...(old.storageClassName === undefined ? { storageClassName: undefined } : {}),
    volumeAttributesClassName: undefined,
  });
  if (!deepEqual(rest(spec), rest(old))) {
    const exception =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    yield forbidden("spec", exception);
    return;
  }
  const [size, before] = [spec.resources?.requests?.["storage"], old.resources?.requests?.["storage"]];
  if (size !== undefined && before !== undefined && compareQuantities(size, before) < 0) {
    if (compareQuantities(size, status?.capacity?.["storage"] ?? before) <= 0) {
      yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
    }
  }
}

const sources =
  "hostPath nfs csi local iscsi fc rbd cephfs glusterfs cinder flexVolume azureFile azureDisk awsElasticBlockStore gcePersistentDisk vsphereVolume quobyte photonPersistentDisk portworxVolume scaleIO storageos flocker".split(
    " ",
  );

export const persistentVolumes: Strategy = {
  applyDefaults(object) {
    const { spec, status } = object as PersistentVolume;
    if (status) status.phase ||= "Pending";
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath) spec.hostPath.type ??= "";
    if (spec.claimRef) {
      spec.claimRef.kind ||= "PersistentVolumeClaim";
      spec.claimRef.apiVersion ||= "v1";
    }
  },
  prepareForCreate(object) {
    const { creationTimestamp = "" } = object.metadata;
    (object as PersistentVolume).status = { phase: "Pending", lastPhaseTransitionTime: creationTimestamp };
  },
  validate: (object) => [...volumeFaults(object as PersistentVolume)],
  validateUpdate(object, old) {
    const source = (volume: PersistentVolume) =>
      Object.fromEntries(Object.entries(volume.spec ?? {}).filter(([field]) => sources.includes(field)));
    if (!deepEqual(source(object as PersistentVolume), source(old as PersistentVolume))) {
      return [forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")];
    }
    return [
      ...immutable(
        (object as PersistentVolume).spec?.volumeMode,
        (old as PersistentVolume).spec?.volumeMode,
        "spec.volumeMode",
      ),
    ];
  },
};

function* volumeFaults({ spec }: PersistentVolume): Generator<FieldFault> {
  yield* accessModeFaults(spec?.accessModes, "spec.accessModes", "");
  const capacity = spec?.capacity ?? {};
  if (Object.keys(capacity).length === 0) yield required("spec.capacity");
  const size = capacity["storage"];
  if (size === undefined || Object.keys(capacity).length > 1)
    yield notSupported("spec.capacity", spec?.capacity ?? null, ["storage"]);
  if (size !== undefined && compareQuantities(size, "0") <= 0) {
    yield invalid("spec.capacity[storage]", size, "must be greater than zero");
  }
  const policies = ["Delete", "Recycle", "Retain"];
  const policy = spec?.persistentVolumeReclaimPolicy;
  if (policy && !policies.includes(policy)) yield notSupported("spec.persistentVolumeReclaimPolicy", policy, policies);
  if (spec?.nodeAffinity?.required) {
    yield* nodeSelectorFaults(spec.nodeAffinity.required.nodeSelectorTerms, "spec.nodeAffinity.required");
  }
  const given = Object.keys(spec ?? {}).filter((field) => sources.includes(field));
  if (given.length === 0) yield required("spec", "must specify a volume type");
  for (const extra of given.slice(1)) yield forbidden(`spec.${extra}`, "may not specify more than 1 volume type");
  if (spec?.hostPath && !spec.hostPath.path) yield required("spec.hostPath.path");
  if (spec?.local && !spec.local.path) yield required("spec.local.path");
  if (spec?.local && !spec.nodeAffinity) yield required("spec.nodeAffinity", "Local volume requires node affinity");
  const name = spec?.storageClassName;
  if (name) for (const message of subdomainName(name, false)) yield invalid("spec.storageClassName", name, message);
}

export const storageClasses: Strategy = {
  applyDefaults(object) {
    const storageClass = object as StorageClass;
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate: (object) => [...classFaults(object as StorageClass)],
  validateUpdate: (object, old) =>
    (["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const).flatMap((field) => [
      ...immutable((object as StorageClass)[field], (old as StorageClass)[field], field),
    ]),
};

function* classFaults({ provisioner, reclaimPolicy, volumeBindingMode }: StorageClass): Generator<FieldFault> {
  if (!provisioner) yield required("provisioner");
  else
    for (const message of checkQualifiedName(provisioner.toLowerCase()))
      yield invalid("provisioner", provisioner, message);
  if (reclaimPolicy && !["Delete", "Retain"].includes(reclaimPolicy)) {
    yield notSupported("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
  }
  if (!volumeBindingMode) yield required("volumeBindingMode");
  else if (!["Immediate", "WaitForFirstConsumer"].includes(volumeBindingMode)) {
    yield notSupported("volumeBindingMode", volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]);
  }
}

export const volumeAttachments: Strategy = {
  prepareForCreate(object) {
    (object as VolumeAttachment).status = { attached: false };
  },
  validate: (object) => [...attachmentFaults((object as VolumeAttachment).spec)],
  validateUpdate: (object, old) => [
    ...immutable((object as VolumeAttachment).spec, (old as VolumeAttachment).spec, "spec"),
  ],
};

function* attachmentFaults(spec: Partial<VolumeAttachment["spec"]> = {}): Generator<FieldFault> {
  const { attacher = "", nodeName = "", source = {} } = spec;
  const { inlineVolumeSpec, persistentVolumeName: name } = source;
  if (attacher === "") yield required("spec.attacher");
  else
    for (const message of subdomainName(attacher.toLowerCase(), false))
      yield invalid("spec.attacher", attacher, message);
  const which = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (!inlineVolumeSpec && !name) yield required("spec.source", which);
  else if (inlineVolumeSpec && name) yield forbidden("spec.source", which);
  for (const message of subdomainName(nodeName, false)) yield invalid("spec.nodeName", nodeName, message);
  if (!inlineVolumeSpec && name)
    for (const message of subdomainName(name, false)) yield invalid("spec.source.persistentVolumeName", name, message);
}
