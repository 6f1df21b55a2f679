import type { Event, EventsEvent } from "@dhow/kube";
import { column, nameColumn, table, wide } from "./definition.ts";
import { since } from "./duration.ts";

const columns = [
  column("Last Seen"),
  column("Type"),
  column("Reason"),
  column("Object"),
  wide("Subobject"),
  wide("Source"),
  column("Message"),
  wide("First Seen"),
  wide("Count"),
  { ...nameColumn, priority: 1 as const },
];

const events = table<Event>({
  columns,
  cells: (event, now) => {
    const first = since(event.firstTimestamp ?? event.eventTime, now);
    const last = event.lastTimestamp ? since(event.lastTimestamp, now) : first;
    const { kind = "", name, fieldPath } = event.involvedObject;
    return [
      event.series ? since(event.series.lastObservedTime, now) : last,
      event.type ?? "",
      event.reason ?? "",
      name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase(),
      fieldPath ?? "",
      source(event),
      (event.message ?? "").trim(),
      first,
      event.series?.count ?? (event.count || 1),
      event.metadata.name ?? "",
    ];
  },
});

function source({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const instance = source?.host || reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}

/** The same event as events.k8s.io names its fields (pkg/apis/events/v1/conversion.go). */
function asCoreEvent(event: EventsEvent): Event {
  const { regarding, note, reportingController, deprecatedSource, deprecatedCount, ...rest } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, series, ...kept } = rest;
  return {
    ...(kept as unknown as Event),
    involvedObject: regarding ?? {},
    ...(note === undefined ? {} : { message: note }),
    ...(reportingController === undefined ? {} : { reportingComponent: reportingController }),
    ...(deprecatedSource === undefined ? {} : { source: deprecatedSource }),
    ...(deprecatedCount === undefined ? {} : { count: deprecatedCount }),
    ...(deprecatedFirstTimestamp === undefined ? {} : { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp === undefined ? {} : { lastTimestamp: deprecatedLastTimestamp }),
    ...(series === undefined ? {} : { series }),
  };
}

export const eventTables = {
  events,
  "events.events.k8s.io": table<EventsEvent>({
    columns,
    cells: (event, now) => events.cells(asCoreEvent(event), now),
  }),
} as const;
