import { decodeKind, type KubeObject } from "@dhow/kube";
import type { Resource } from "./resource.ts";

// What the stores of kinds differ in where no strategy says so; each list was read off a 1.36 API server by asking it.

const admissionKinds = [
  "mutatingwebhookconfigurations",
  "validatingwebhookconfigurations",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
].map((name) => `${name}.admissionregistration.k8s.io`);

/** Kinds that count the changes of what they ask for. */
const generations = new Set([
  "pods",
  "podtemplates",
  "replicationcontrollers",
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
  "ingresses.networking.k8s.io",
  "ingressclasses.networking.k8s.io",
  "networkpolicies.networking.k8s.io",
  "poddisruptionbudgets.policy",
  "endpointslices.discovery.k8s.io",
  "priorityclasses.scheduling.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "apiservices.apiregistration.k8s.io",
  "flowschemas.flowcontrol.apiserver.k8s.io",
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
  ...admissionKinds,
]);

export function countsGenerations({ custom, storedAs, strategy }: Resource): boolean {
  return strategy.hasGeneration ?? (custom !== undefined || generations.has(storedAs));
}

/** Kinds that a PUT creates where there is nothing (AllowCreateOnUpdate). */
const createdByUpdates = new Set([
  "endpoints",
  "events",
  "limitranges",
  "services",
  "leases.coordination.k8s.io",
  "runtimeclasses.node.k8s.io",
  ...["roles", "rolebindings", "clusterroles", "clusterrolebindings"].map(
    (name) => `${name}.rbac.authorization.k8s.io`,
  ),
]);

export function mayCreateOnUpdate({ storedAs, strategy }: Resource): boolean {
  return strategy.createOnUpdate ?? createdByUpdates.has(storedAs);
}

/** Kinds whose updates must say which revision they are made from (AllowUnconditionalUpdate is false). */
const conditionallyUpdated = new Set([
  "poddisruptionbudgets.policy",
  "csidrivers.storage.k8s.io",
  "runtimeclasses.node.k8s.io",
  "leases.coordination.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "apiservices.apiregistration.k8s.io",
  ...admissionKinds,
  "volumeattachments.storage.k8s.io",
]);

export function needsRevision({ custom, storedAs, strategy }: Resource): boolean {
  return strategy.requiresResourceVersion ?? (custom !== undefined || conditionallyUpdated.has(storedAs));
}

/** Kinds whose deletion is answered with the object instead of a Status (ReturnDeletedObject). */
const answeredWithTheObject = new Set([
  "pods",
  "serviceaccounts",
  "resourcequotas",
  "services",
  "persistentvolumeclaims",
  "persistentvolumes",
  "podtemplates",
  "storageclasses.storage.k8s.io",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "volumeattributesclasses.storage.k8s.io",
]);

export function deletionGivesObject({ storedAs }: Resource): boolean {
  return answeredWithTheObject.has(storedAs);
}

/** Kinds whose dependents stay unless the caller says otherwise (DefaultGarbageCollectionPolicy). */
const orphaningByDefault = new Set(["jobs.batch", "replicationcontrollers"]);

export function orphansByDefault({ storedAs }: Resource): boolean {
  return orphaningByDefault.has(storedAs);
}

/** Kinds whose status may be given at creation (pkg/registry/core/node/strategy.go, core/event has none). */
const statusFromTheStart = new Set(["nodes"]);

export function takesStatusAtCreation({ storedAs }: Resource): boolean {
  return statusFromTheStart.has(storedAs);
}

const emptyObjects = new Map<string, KubeObject>();

/** What Go's zero value of a kind looks like: structs that are always written are there. */
export function emptyOf({ apiVersion, custom, info }: Resource): Readonly<Record<string, unknown>> {
  if (custom) return {};
  const key = `${apiVersion} ${info.kind}`;
  let empty = emptyObjects.get(key);
  if (!empty) emptyObjects.set(key, (empty = decodeKind({}, { apiVersion, kind: info.kind }).object));
  return empty;
}
