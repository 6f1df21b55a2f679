import { deepEqual, type PodTemplateSpec } from "@dhow/kube";

/** The label that tells the pods of a Deployment's revisions apart. */
export const templateHashLabel = "pod-template-hash";

/**
 * A hash of a pod template, in the alphabet of generated names: FNV-1a (32 bit) over its fields in sorted order. Kubernetes hashes a
 * dump of its Go structs instead, so the values differ from a real cluster's; they only have to be stable.
 */
export function templateHash(template: unknown, collisionCount: number | undefined): string {
  let hash = fnv1a(0x811c9dc5, canonical(template));
  if (collisionCount !== undefined) hash = fnv1a(hash, String(collisionCount));
  return safeEncode(String(hash >>> 0));
}

export function fnv1a(seed: number, text: string): number {
  let hash = seed;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** Every character of a decimal number becomes one that makes no words (apimachinery/pkg/util/rand, SafeEncodeString). */
function safeEncode(text: string): string {
  const alphabet = "bcdfghjklmnpqrstvwxz2456789";
  return text.replaceAll(/./g, (character) => alphabet.charAt(character.charCodeAt(0) % alphabet.length));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined && field !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(",")}}`;
}

/** Whether two templates ask for the same pods; the hash label does not count (EqualIgnoreHash). */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return deepEqual(comparable(a), comparable(b));
}

/** Times that the server fills in and empty maps mean nothing. */
function comparable(template: PodTemplateSpec | undefined): unknown {
  const { labels = {}, annotations, creationTimestamp: _, ...metadata } = template?.metadata ?? {};
  const { [templateHashLabel]: __, ...ownLabels } = labels;
  return { spec: template?.spec, metadata: { ...metadata, labels: ownLabels, annotations: annotations ?? {} } };
}
