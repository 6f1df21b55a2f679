import type { KubeObject } from "@dhow/kube";

type FieldReader = (object: KubeObject) => string;

/** Reads a path such as `status.phase`; absent is the empty text, or what else is given. */
function at(path: string, absent = ""): FieldReader {
  const parts = path.split(".");
  return (object) => {
    let value: unknown = object;
    for (const part of parts) value = (value as Record<string, unknown> | undefined | null)?.[part];
    return `${(value as string | number | boolean | null | undefined) ?? absent}`;
  };
}

function fields(...paths: string[]): Record<string, FieldReader> {
  return Object.fromEntries(paths.map((path) => [path, at(path)]));
}

/** An event is about the same thing in both of its versions, whose names for it differ. */
const eventFields: Record<string, FieldReader> = {
  ...fields(
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "type",
  ),
  reportingComponent: (event) => at("reportingComponent")(event) || at("source.component")(event),
  source: (event) => at("source.component")(event) || at("reportingComponent")(event),
};

function renamed(prefix: string, to: string): Record<string, FieldReader> {
  return Object.fromEntries(Object.entries(eventFields).map(([name, read]) => [name.replace(prefix, to), read]));
}

/**
 * Fields that a selector may name besides metadata.name and metadata.namespace (pkg/apis/core/v1/conversion.go and the
 * `ToSelectableFields` of each kind). They read the stored version.
 */
export const selectableFields: Readonly<Record<string, Readonly<Record<string, FieldReader>>>> = {
  pods: {
    ...fields("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
    ...fields("status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"),
    "spec.hostNetwork": at("spec.hostNetwork", "false"),
  },
  nodes: { "spec.unschedulable": at("spec.unschedulable", "false") },
  namespaces: { ...fields("status.phase"), name: at("metadata.name") },
  secrets: fields("type"),
  services: fields("spec.clusterIP", "spec.type"),
  replicationcontrollers: { "status.replicas": at("status.replicas", "0") },
  events: eventFields,
  "events.events.k8s.io": {
    ...renamed("involvedObject.", "regarding."),
    reportingController: eventFields["reportingComponent"] as FieldReader,
  },
  "replicasets.apps": { "status.replicas": at("status.replicas", "0") },
  "jobs.batch": { "status.successful": at("status.succeeded", "0") },
  "certificatesigningrequests.certificates.k8s.io": fields("spec.signerName"),
};

/** Kinds whose refusal of an unknown field is worded the older way (pkg/apis/core/v1/conversion.go). */
export const wordedTheOlderWay = new Set([
  "pods",
  "nodes",
  "namespaces",
  "secrets",
  "services",
  "replicationcontrollers",
  "events",
  "events.events.k8s.io",
  "replicasets.apps",
  "jobs.batch",
  "certificatesigningrequests.certificates.k8s.io",
]);
