import type { KubeObject } from "@dhow/kube";
import { autoscalerFromV1, autoscalerToV1 } from "./autoscaler-versions.ts";
import type { Conversion } from "./resource.ts";

interface Version {
  readonly storedAs?: string;
  readonly conversion?: Conversion;
}

type Fields = Record<string, unknown>;

/** Moves fields to other names and drops what is empty then. */
function rename(object: KubeObject, apiVersion: string, names: Readonly<Record<string, string>>): KubeObject {
  const result: Fields = {};
  for (const [field, value] of Object.entries(object)) result[names[field] ?? field] = value;
  return { ...result, apiVersion, kind: object.kind, metadata: object.metadata };
}

/** events.k8s.io/v1 and core/v1 are the same events under other names (pkg/apis/events/v1/conversion.go). */
const toNewEvent = {
  involvedObject: "regarding",
  message: "note",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
  reportingComponent: "reportingController",
};
const toCoreEvent = Object.fromEntries(Object.entries(toNewEvent).map(([from, to]) => [to, from]));

/** Fields that core/v1 always writes, and events.k8s.io/v1 leaves out where they are empty. */
function withoutEmptyReporter(event: KubeObject): KubeObject {
  for (const field of ["reportingController", "reportingInstance"]) if (event[field] === "") delete event[field];
  return event;
}

/** In which form a kind of several versions is stored, by `apiVersion resource`; the others are stored as they are. */
export const conversions: Readonly<Record<string, Version>> = {
  "autoscaling/v1 horizontalpodautoscalers": {
    storedAs: "horizontalpodautoscalers.autoscaling",
    conversion: { fromStored: autoscalerToV1, toStored: autoscalerFromV1 },
  },
  "events.k8s.io/v1 events": {
    storedAs: "events",
    conversion: {
      fromStored: (object) => withoutEmptyReporter(rename(object, "events.k8s.io/v1", toNewEvent)),
      toStored: (object) => rename(object, "v1", toCoreEvent),
    },
  },
};
