import { type Container, formatLabelSelector, type LabelSelector, type ObjectMeta } from "@dhow/kube";

export const none = "<none>";
export const unset = "<unset>";

/** Names and images of containers, each in one cell. */
export function containerCells(containers: readonly Container[] | undefined): [string, string] {
  const all = containers ?? [];
  return [all.map(({ name }) => name).join(","), all.map(({ image }) => image ?? "").join(",")];
}

/** `a=1,b=2`, sorted. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${value}`).join(",") || none;
}

export function selectorCell(selector: LabelSelector | undefined): string {
  return (selector && selectorText(selector)) || none;
}

/** As `selectorCell`, with nothing where nothing is selected. */
export function selectorText(selector: LabelSelector): string {
  try {
    return formatLabelSelector(selector);
  } catch {
    return "<invalid>";
  }
}

/** At most `most` of a list, and how many more there are. */
export function listCell(items: readonly string[], most: number, empty: string): string {
  if (items.length === 0) return empty;
  const shown = items.slice(0, most).join(",");
  return items.length > most ? `${shown} + ${items.length - most} more...` : shown;
}

const modes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** `RWO,ROX`: in this order, each once. */
export function accessModesCell(given: readonly string[] | undefined): string {
  return Object.entries(modes)
    .filter(([mode]) => given?.includes(mode))
    .map(([, short]) => short)
    .join(",");
}

/** `True`, `False` or that nobody said. */
export function booleanCell(value: boolean | undefined): string {
  if (value === undefined) return unset;
  return value ? "True" : "False";
}

/** Whether one of the annotations says `true`. */
export function isMarked(metadata: ObjectMeta, ...annotations: readonly string[]): boolean {
  return annotations.some((annotation) => metadata.annotations?.[annotation] === "true");
}
