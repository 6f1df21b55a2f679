import { deepEqual, type PersistentVolume, type PersistentVolumeClaim } from "@dhow/kube";
import { kinds } from "../kinds.ts";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, nameOf, namespaceOf, splitKey, uidOf } from "../objects.ts";
import { quantityValue } from "../quantities.ts";
import { classOf, findVolume, isClaimBound, isClaimedBy } from "./match.ts";
import { provision, provisionerName } from "./provision.ts";

const byController = { "pv.kubernetes.io/bound-by-controller": "yes" };

/** Brings one claim together with its volume (pkg/controller/volume/persistentvolume/pv_controller.go, syncClaim). */
export async function syncClaim(manager: Manager, recorder: EventRecorder, key: string): Promise<void> {
  const { namespace, name } = splitKey(key);
  const claim = manager.informer(kinds.persistentVolumeClaim).get(namespace, name);
  if (!claim) return;
  if (isClaimBound(claim)) await syncBound(manager, recorder, claim);
  else if (!isDeleting(claim)) await syncUnbound(manager, recorder, claim);
}

async function syncBound(manager: Manager, recorder: EventRecorder, claim: PersistentVolumeClaim): Promise<void> {
  const volume = manager.informer(kinds.persistentVolume).get(undefined, claim.spec?.volumeName ?? "");
  if (!volume) {
    const gone = await isGone(manager, claim.spec?.volumeName ?? "");
    if (!gone || claim.status?.phase === "Lost") return;
    await writeStatus(manager, claim, { ...claim.status, phase: "Lost" });
    const message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    recorder.event(claim, "Warning", "ClaimLost", message);
    return;
  }
  if (volume.spec?.claimRef && volume.spec.claimRef.uid !== uidOf(claim)) {
    if (claim.status?.phase === "Lost") return;
    await writeStatus(manager, claim, { ...claim.status, phase: "Lost" });
    const message = "Two claims are bound to the same volume, this one is bound incorrectly";
    recorder.event(claim, "Warning", "ClaimMisbound", message);
    return;
  }
  await bind(manager, await grow(manager, volume, claim), claim);
}

async function isGone(manager: Manager, name: string): Promise<boolean> {
  return (await manager.client.find({ apiVersion: "v1", kind: "PersistentVolume", name })) === undefined;
}

/** A folder has no size: a claim that asks for more has it at once, where its class allows it. */
async function grow(
  manager: Manager,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolume> {
  const asked = claim.spec?.resources?.requests?.["storage"];
  const has = volume.spec?.capacity?.["storage"];
  if (volume.metadata.annotations?.["pv.kubernetes.io/provisioned-by"] !== provisionerName) return volume;
  if (asked === undefined || quantityValue(asked) <= quantityValue(has)) return volume;
  return manager.client.update<PersistentVolume>({
    ...volume,
    spec: { ...volume.spec, capacity: { ...volume.spec?.capacity, storage: asked } },
  });
}

async function syncUnbound(manager: Manager, recorder: EventRecorder, claim: PersistentVolumeClaim): Promise<void> {
  const volumes = manager.informer(kinds.persistentVolume);
  const named = claim.spec?.volumeName;
  if (named) {
    const volume = volumes.get(undefined, named);
    if (volume && (!volume.spec?.claimRef || isClaimedBy(volume, claim))) return bind(manager, volume, claim);
    if (volume)
      recorder.event(claim, "Warning", "FailedBinding", `volume "${named}" already bound to a different claim.`);
    return pending(manager, claim);
  }
  const storageClass = manager.informer(kinds.storageClass).get(undefined, classOf(claim));
  const delayed = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  const promised = volumes.list().find((volume) => volume.spec?.claimRef !== undefined && isClaimedBy(volume, claim));
  const selectedNode = claim.metadata.annotations?.["volume.kubernetes.io/selected-node"];
  const volume = promised ?? (delayed ? undefined : findVolume(claim, volumes.list()));
  if (volume) return bind(manager, volume, claim);
  if (delayed && !selectedNode) {
    const message = "waiting for first consumer to be created before binding";
    recorder.event(claim, "Normal", "WaitForFirstConsumer", message);
  } else if (storageClass?.provisioner === provisionerName) {
    await provision(manager, claim, storageClass);
    return;
  } else if (storageClass) {
    const by = storageClass.provisioner;
    const message = `Waiting for a volume to be created either by the external provisioner '${by}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    recorder.event(claim, "Normal", "ExternalProvisioning", message);
  } else if (classOf(claim)) {
    const message = `storageclass.storage.k8s.io "${classOf(claim)}" not found`;
    recorder.event(claim, "Warning", "ProvisioningFailed", message);
  } else {
    const message = "no persistent volumes available for this claim and no storage class is set";
    recorder.event(claim, "Normal", "FailedBinding", message);
  }
  await pending(manager, claim);
}

async function pending(manager: Manager, claim: PersistentVolumeClaim): Promise<void> {
  if (claim.status?.phase !== "Pending") await writeStatus(manager, claim, { ...claim.status, phase: "Pending" });
}

async function writeStatus(
  manager: Manager,
  claim: PersistentVolumeClaim,
  status: NonNullable<PersistentVolumeClaim["status"]>,
): Promise<void> {
  if (!deepEqual(claim.status, status)) await manager.client.updateStatus<PersistentVolumeClaim>({ ...claim, status });
}

/** Binds both to each other; each step is written before the next, so that it can be taken up where it broke off. */
async function bind(manager: Manager, volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
  const { client } = manager;
  const claimed = await bindVolume(manager, volume, claim);
  if (claimed.status?.phase !== "Bound") {
    await client.updateStatus<PersistentVolume>({ ...claimed, status: { phase: "Bound" } });
  }
  const annotations = claim.metadata.annotations ?? {};
  let current = claim;
  if (claim.spec?.volumeName !== nameOf(volume) || annotations["pv.kubernetes.io/bind-completed"] === undefined) {
    const bound = {
      ...annotations,
      "pv.kubernetes.io/bind-completed": "yes",
      ...(claim.spec?.volumeName ? {} : byController),
    };
    current = await client.update<PersistentVolumeClaim>({
      ...claim,
      metadata: { ...claim.metadata, annotations: bound },
      spec: { ...claim.spec, volumeName: nameOf(volume) },
    });
  }
  const { accessModes, capacity } = claimed.spec ?? {};
  await writeStatus(manager, current, {
    ...current.status,
    phase: "Bound",
    ...(accessModes ? { accessModes } : {}),
    ...(capacity ? { capacity } : {}),
  });
}

async function bindVolume(
  manager: Manager,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolume> {
  if (volume.spec?.claimRef?.uid === uidOf(claim)) return volume;
  const claimRef = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    namespace: namespaceOf(claim),
    name: nameOf(claim),
    uid: uidOf(claim),
    ...(claim.metadata.resourceVersion ? { resourceVersion: claim.metadata.resourceVersion } : {}),
  };
  const annotations = { ...volume.metadata.annotations, ...(volume.spec?.claimRef ? {} : byController) };
  return manager.client.update<PersistentVolume>({
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...volume.spec, claimRef },
  });
}
