import type { KubeObject } from "@dhow/kube";
import type { Resource } from "./resource.ts";

/** Go's RFC 3339 in UTC, to the second: how metadata tells times. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** Objects of some kinds count the changes of what they ask for: those that have a spec and a status that follows it. */
const withGeneration = new Set([
  ...["pods", "podtemplates", "replicationcontrollers", "deployments.apps", "replicasets.apps", "statefulsets.apps"],
  ...["daemonsets.apps", "jobs.batch", "cronjobs.batch", "ingresses.networking.k8s.io"],
  ...["ingressclasses.networking.k8s.io", "networkpolicies.networking.k8s.io", "poddisruptionbudgets.policy"],
  ...["endpointslices.discovery.k8s.io", "priorityclasses.scheduling.k8s.io", "horizontalpodautoscalers.autoscaling"],
  ...["customresourcedefinitions.apiextensions.k8s.io", "apiservices.apiregistration.k8s.io"],
  ...["flowschemas.flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"],
  ...["validatingwebhookconfigurations.admissionregistration.k8s.io"],
  ...["mutatingwebhookconfigurations.admissionregistration.k8s.io"],
  ...["validatingadmissionpolicies.admissionregistration.k8s.io"],
  ...["mutatingadmissionpolicies.admissionregistration.k8s.io"],
]);

export function countsGenerations(resource: Resource): boolean {
  return resource.strategy.hasGeneration ?? (resource.custom || withGeneration.has(resource.storedAs));
}

/** An owner named twice counts once, with a warning (apiserver/pkg/endpoints/handlers/create.go dedupOwnerReferences). */
export function dropDuplicateOwners(object: KubeObject, warn: (message: string) => void, when = ""): void {
  const owners = object.metadata.ownerReferences ?? [];
  const unique = new Map(owners.map((owner) => [owner.uid, owner]));
  if (unique.size === owners.length) return;
  const repeated = owners.filter((owner, index) => owners.findIndex((other) => other.uid === owner.uid) !== index);
  object.metadata.ownerReferences = owners.filter(
    (owner, index) => owners.findIndex((other) => other.uid === owner.uid) === index,
  );
  const uids = [...new Set(repeated.map((owner) => owner.uid))].join(", ");
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  );
}
