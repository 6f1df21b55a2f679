import type { Place } from "@dhow/base";
import { ModelError } from "./errors.ts";

/** What a check needs to say where something is wrong. */
export interface Subject {
  /** As the user wrote it: `service("auth-service")`. */
  readonly what: string;
  readonly place: Place | undefined;
}

/** Shows a value in a message: strings in quotes, values of a description as they are written, else JSON, cut to a readable length. */
export function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null && "kind" in value) {
    return "name" in value
      ? `${String(value.kind)}(${JSON.stringify(value.name)})`
      : `a value of the kind ${String(value.kind)}`;
  }
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Edit distance, for "did you mean" (Wagner–Fischer). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate that is most like `word`, if any is alike at all. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, away: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.away - b.away);
  return best && best.away <= Math.max(2, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

export function checkFields(
  subject: Subject,
  options: unknown,
  known: readonly string[],
  required: readonly string[],
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ModelError({
      code: "MODEL_INVALID_VALUE",
      message: `${subject.what}: its options are ${show(options)}`,
      instead: `an object with ${known.join(", ")}`,
      place: subject.place,
    });
  }
  for (const field of Object.keys(options)) {
    if (known.includes(field)) continue;
    const meant = closest(field, known);
    throw new ModelError({
      code: "MODEL_UNKNOWN_FIELD",
      message: `${subject.what}: there is no field "${field}"`,
      instead: meant ? `${meant}: …` : `one of ${known.join(", ")}`,
      place: subject.place,
      field,
    });
  }
  for (const field of required) {
    if ((options as Record<string, unknown>)[field] !== undefined) continue;
    throw new ModelError({
      code: "MODEL_MISSING_FIELD",
      message: `${subject.what}: "${field}" is missing`,
      instead: `${field}: …`,
      place: subject.place,
    });
  }
}

/** Names become Service and label names: at most 63 lower-case letters, digits and "-", beginning with a letter (RFC 1035). */
export function checkName(subject: Subject, name: unknown): asserts name is string {
  if (typeof name === "string" && /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  const text = typeof name === "string" ? name : "";
  const better = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[-0-9]+|-+$/g, "")
    .slice(0, 63);
  throw new ModelError({
    code: "MODEL_INVALID_NAME",
    message: `${subject.what}: Kubernetes refuses the name ${show(name)}`,
    instead: `lower-case letters, digits and "-", at most 63, beginning with a letter${better ? `: "${better}"` : ""}`,
    place: subject.place,
  });
}

export function checkWhole(subject: Subject, field: string, value: unknown, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= least && (value as number) <= most))
    return;
  throw invalid(subject, field, value, `a whole number from ${least} to ${most}`);
}

export function invalid(subject: Subject, field: string, value: unknown, instead: string): ModelError {
  return new ModelError({
    code: "MODEL_INVALID_VALUE",
    message: `${subject.what}: ${field} is ${show(value)}`,
    instead: `${field}: ${instead}`,
    place: subject.place,
    field: field.split(/[.[]/).at(-1)?.replace(/"?\]$/, "") ?? field,
  });
}

export function checkPath(subject: Subject, field: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && value.startsWith("/"))) return;
  throw invalid(subject, field, value, 'a path such as "/health"');
}

const aQuantity = /^(\d+(\.\d+)?|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;

/** A Kubernetes quantity, such as "250m" or "1Gi". */
export function checkQuantity(subject: Subject, field: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && aQuantity.test(value))) return;
  throw invalid(subject, field, value, `a quantity such as "250m" of processor or "512Mi" of memory`);
}
