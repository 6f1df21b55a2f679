import { type Event, type FieldFault, fieldFault } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";

// pkg/apis/core/validation/events.go

const { invalid, required } = fieldFault;

export const events: Strategy = {
  createOnUpdate: true,
  applyDefaults(object) {
    const event = object as Event;
    // On the wire always, whether they say anything or not.
    event.source ??= {};
    const times = event as { eventTime?: unknown; firstTimestamp?: unknown; lastTimestamp?: unknown };
    for (const field of ["eventTime", "firstTimestamp", "lastTimestamp"] as const) times[field] ??= null;
    event.reportingComponent ??= "";
    event.reportingInstance ??= "";
  },
  validate: (object) => [...eventFaults(object as Event)],
};

function* eventFaults({ involvedObject, metadata, ...event }: Event): Generator<FieldFault> {
  const namespace = involvedObject?.namespace ?? "";
  const mismatch = () => invalid("involvedObject.namespace", namespace, "does not match event.namespace");
  if (!event.eventTime) {
    if (metadata.namespace !== (namespace || "default")) yield mismatch();
    return;
  }
  // Since there are times to the microsecond an event may be about what is elsewhere.
  if (namespace === "" && !["default", "kube-system"].includes(metadata.namespace ?? "")) yield mismatch();
  if (!event.reportingComponent) yield required("reportingController");
  if (!event.reportingInstance) yield required("reportingInstance");
  if (!event.action) yield required("action");
  if (!event.reason) yield required("reason");
}
