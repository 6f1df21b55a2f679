import {
  type FieldFault,
  fieldFault,
  type KeyToPath,
  type ProjectedVolumeSource,
  type Volume,
  type VolumeDevice,
  type VolumeMount,
} from "@dhow/kube";
import { checkLabel1123, subdomainName } from "../../validation/names.ts";
import { compareQuantities } from "../../validation/quantities.ts";
import { claimSpecFaults } from "../persistent-volume-claim-spec.ts";
import { fileReferenceFaults } from "./environment.ts";

// ValidateVolumes, ValidateVolumeMounts and ValidateVolumeDevices in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, notFound, notSupported, required } = fieldFault;

const modeMessage = "must be a number between 0 and 0777 (octal), both inclusive";
const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

/** Yields the faults and returns the volumes that have none: mounts of the others count as mounts of nothing. */
export function* volumeFaults(
  volumes: readonly Volume[],
  at: string,
  podName: string | undefined,
): Generator<FieldFault, ReadonlyMap<string, Volume>> {
  const sound = new Map<string, Volume>();
  const created = new Set(volumes.filter((volume) => volume.ephemeral).map((volume) => `${podName}-${volume.name}`));
  for (const [index, volume] of volumes.entries()) {
    const place = `${at}[${index}]`;
    const faults = [...sourceFaults(volume, place, podName)];
    if (!volume.name) faults.push(required(`${place}.name`));
    else faults.push(...checkLabel1123(volume.name).map((message) => invalid(`${place}.name`, volume.name, message)));
    if (sound.has(volume.name)) faults.push(duplicate(`${place}.name`, volume.name));
    if (faults.length === 0) sound.set(volume.name, volume);
    yield* faults;
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim && created.has(claim)) {
      const message = "must not reference a PVC that gets created for an ephemeral volume";
      yield invalid(`${place}.persistentVolumeClaim.claimName`, claim, message);
    }
  }
  return sound;
}

function* sourceFaults(volume: Volume, at: string, podName: string | undefined): Generator<FieldFault> {
  const limit = volume.emptyDir?.sizeLimit;
  if (limit !== undefined && compareQuantities(limit, "0") < 0) {
    yield forbidden(`${at}.emptyDir.sizeLimit`, "SizeLimit field must be a valid resource quantity");
  }
  const kinds = Object.keys(volume).filter((field) => field !== "name");
  // An empty directory is looked at first and the others in the order of the API; `emptyDir` beside another is the other's fault.
  const ordered = kinds.includes("emptyDir") ? ["emptyDir", ...kinds.filter((kind) => kind !== "emptyDir")] : kinds;
  for (const kind of ordered.slice(1)) yield forbidden(`${at}.${kind}`, "may not specify more than 1 volume type");
  const place = `${at}.${ordered[0]}`;
  switch (ordered[0]) {
    case "hostPath":
      yield* hostPathFaults(volume.hostPath ?? { path: "" }, place);
      break;
    case "secret":
      if (!volume.secret?.secretName) yield required(`${place}.secretName`);
      yield* itemFaults(volume.secret ?? {}, place);
      break;
    case "configMap":
      if (!volume.configMap?.name) yield required(`${place}.name`);
      yield* itemFaults(volume.configMap ?? {}, place);
      break;
    case "persistentVolumeClaim":
      if (!volume.persistentVolumeClaim?.claimName) yield required(`${place}.claimName`);
      break;
    case "nfs":
      if (!volume.nfs?.server) yield required(`${place}.server`);
      if (!volume.nfs?.path) yield required(`${place}.path`);
      else if (!volume.nfs.path.startsWith("/"))
        yield invalid(`${place}.path`, volume.nfs.path, "must be an absolute path");
      break;
    case "csi":
      if (!volume.csi?.driver) yield required(`${place}.driver`);
      break;
    case "downwardAPI":
      yield* modeFaults(volume.downwardAPI?.defaultMode, `${place}.defaultMode`);
      for (const file of volume.downwardAPI?.items ?? []) yield* downwardFileFaults(file, place);
      break;
    case "projected":
      yield* projectedFaults(volume.projected ?? {}, place);
      break;
    case "ephemeral":
      yield* ephemeralFaults(volume, at, podName);
      break;
    default:
  }
}

function* ephemeralFaults(volume: Volume, at: string, podName: string | undefined): Generator<FieldFault> {
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (!template) yield required(`${at}.ephemeral.volumeClaimTemplate`);
  else yield* claimSpecFaults(template.spec, `${at}.ephemeral.volumeClaimTemplate.spec`);
  if (!podName || !volume.name) return;
  const claim = `${podName}-${volume.name}`;
  for (const message of subdomainName(claim, false)) {
    yield invalid(`${at}.name`, volume.name, `PVC name "${claim}": ${message}`);
  }
}

function* hostPathFaults(source: { path?: string; type?: string }, at: string): Generator<FieldFault> {
  if (!source.path) {
    yield required(`${at}.path`);
    return;
  }
  yield* backstepFaults(source.path, `${at}.path`);
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) {
    yield notSupported(`${at}.type`, source.type, hostPathTypes);
  }
}

function* modeFaults(mode: number | undefined, at: string): Generator<FieldFault> {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) yield invalid(at, mode, modeMessage);
}

function* itemFaults(source: { defaultMode?: number; items?: KeyToPath[] }, at: string): Generator<FieldFault> {
  yield* modeFaults(source.defaultMode, `${at}.defaultMode`);
  for (const [index, item] of (source.items ?? []).entries()) {
    const place = `${at}.items[${index}]`;
    if (!item.key) yield required(`${place}.key`);
    if (!item.path) yield required(`${place}.path`);
    yield* localPathFaults(item.path ?? "", `${place}.path`);
    yield* modeFaults(item.mode, `${place}.mode`);
  }
}

type DownwardFile = NonNullable<NonNullable<Volume["downwardAPI"]>["items"]>[number];

function* downwardFileFaults(file: DownwardFile, at: string): Generator<FieldFault> {
  if (!file.path) yield required(`${at}.path`);
  yield* localPathFaults(file.path ?? "", `${at}.path`);
  yield* fileReferenceFaults(file, at);
  yield* modeFaults(file.mode, `${at}.mode`);
}

function* projectedFaults(projected: ProjectedVolumeSource, at: string): Generator<FieldFault> {
  yield* modeFaults(projected.defaultMode, `${at}.defaultMode`);
  const paths = new Set<string>();
  for (const [index, source] of (projected.sources ?? []).entries()) {
    const place = `${at}.sources[${index}]`;
    for (const kind of ["secret", "configMap"] as const) {
      const part = source[kind];
      if (!part) continue;
      if (!part.name) yield required(`${place}.${kind}.name`);
      yield* itemFaults({ items: part.items ?? [] }, `${place}.${kind}`);
      for (const { path } of part.items ?? []) {
        if (path && paths.has(path)) yield invalid(at, part.name, "conflicting duplicate paths");
        paths.add(path);
      }
    }
    for (const file of source.downwardAPI?.items ?? []) {
      yield* downwardFileFaults(file, `${place}.downwardAPI`);
      if (file.path && paths.has(file.path)) yield invalid(at, file.path, "conflicting duplicate paths");
      paths.add(file.path);
    }
    if (source.serviceAccountToken) yield* tokenFaults(source.serviceAccountToken, at, `${place}.serviceAccountToken`);
    if (Object.keys(source).length > 1) yield forbidden(place, "may not specify more than 1 volume type");
  }
}

function* tokenFaults(
  token: { expirationSeconds?: number; path?: string },
  at: string,
  place: string,
): Generator<FieldFault> {
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < 600) {
    yield invalid(`${place}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes");
  }
  if (seconds > 2 ** 32) {
    yield invalid(`${place}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds");
  }
  if (!token.path) yield required(`${at}.path`);
  else yield* localPathFaults(token.path, `${at}.path`);
}

function* backstepFaults(path: string, at: string): Generator<FieldFault> {
  if (path.split("/").includes("..")) yield invalid(at, path, "must not contain '..'");
}

export function* descendingPathFaults(path: string, at: string): Generator<FieldFault> {
  if (path.startsWith("/")) yield invalid(at, path, "must be a relative path");
  yield* backstepFaults(path, at);
}

function* localPathFaults(path: string, at: string): Generator<FieldFault> {
  yield* descendingPathFaults(path, at);
  if (path.startsWith("..") && !path.startsWith("../")) yield invalid(at, path, "must not start with '..'");
}

export function* mountFaults(
  mounts: readonly VolumeMount[],
  devices: readonly VolumeDevice[],
  volumes: ReadonlyMap<string, Volume>,
  at: string,
  privileged: boolean,
): Generator<FieldFault> {
  const paths = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const place = `${at}[${index}]`;
    if (!mount.name) yield required(`${place}.name`);
    if (!volumes.has(mount.name)) yield notFound(`${place}.name`, mount.name);
    if (!mount.mountPath) yield required(`${place}.mountPath`);
    if (paths.has(mount.mountPath)) yield invalid(`${place}.mountPath`, mount.mountPath, "must be unique");
    paths.add(mount.mountPath);
    if (devices.some((device) => device.name === mount.name)) {
      yield invalid(`${place}.name`, mount.name, "must not already exist in volumeDevices");
    }
    if (mount.subPath) yield* descendingPathFaults(mount.subPath, `${at}.subPath`);
    if (mount.subPathExpr) {
      if (mount.subPath) {
        yield invalid(`${place}.subPathExpr`, mount.subPathExpr, "subPathExpr and subPath are mutually exclusive");
      }
      yield* descendingPathFaults(mount.subPathExpr, `${at}.subPathExpr`);
    }
    const propagation = mount.mountPropagation;
    if (propagation && !["Bidirectional", "HostToContainer", "None"].includes(propagation)) {
      yield notSupported(`${at}.mountPropagation`, propagation, ["Bidirectional", "HostToContainer", "None"]);
    } else if (propagation === "Bidirectional" && !privileged) {
      const message = "Bidirectional mount propagation is available only to privileged containers";
      yield forbidden(`${at}.mountPropagation`, message);
    }
  }
}

export function* deviceFaults(
  devices: readonly VolumeDevice[],
  volumes: ReadonlyMap<string, Volume>,
  at: string,
): Generator<FieldFault> {
  for (const [index, device] of devices.entries()) {
    const place = `${at}[${index}]`;
    const volume = volumes.get(device.name);
    if (!device.name) yield required(`${place}.name`);
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const message = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      yield invalid(`${place}.name`, device.name, message);
    }
    if (!volume) yield notFound(`${place}.name`, device.name);
    if (!device.devicePath) yield required(`${place}.devicePath`);
  }
}
