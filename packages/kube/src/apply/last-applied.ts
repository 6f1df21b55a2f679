import type { KubeObject } from "../objects.ts";
import { compareObjects } from "./compare.ts";
import { difference, type FieldSet } from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import type { MapType } from "./node-type.ts";

/** Where kubectl's client-side apply keeps what it applied last. */
export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** The one manager for whom the annotation counts. */
export const kubectlManager = "kubectl";

/**
 * Fields that client-side apply set and nobody changed since: kubectl may take them over when it turns to server-side apply (lastappliedmanager.go). Undefined where there is no such annotation.
 */
export function lastAppliedFields(live: KubeObject, type: MapType): FieldSet | undefined {
  const text = live.metadata.annotations?.[lastAppliedAnnotation];
  if (!text) return undefined;
  try {
    const applied = JSON.parse(text) as KubeObject;
    if (applied.apiVersion !== live.apiVersion) return undefined;
    const { modified, added, removed } = compareObjects(applied, live, type);
    return difference(difference(difference(fieldsOf(applied, type), modified), added), removed);
  } catch {
    return undefined;
  }
}

/** Keeps the annotation up to date for kubectl, so that client-side apply can go on from there (lastappliedupdater.go). */
export function renewLastApplied<T extends KubeObject>(object: T, applied: KubeObject): T {
  if (!object.metadata.annotations?.[lastAppliedAnnotation]) return object;
  const { [lastAppliedAnnotation]: _, ...annotations } = applied.metadata.annotations ?? {};
  const { annotations: __, ...metadata } = applied.metadata;
  const plain = {
    ...applied,
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
  };
  const text = `${goJson(plain)}\n`;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [lastAppliedAnnotation]: text } },
  };
}

/** JSON as Go writes maps: fields sorted, `<`, `>` and `&` escaped. */
function goJson(value: unknown): string {
  return JSON.stringify(sortedFields(value)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

function sortedFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedFields);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sortedFields(field)]),
  );
}
