import type { KubeObject } from "../objects.ts";
import { quote } from "../quote.ts";
import { parseApiVersion } from "../resources.ts";
import { badRequest } from "../status.ts";
import { decodeFields } from "./decode.ts";
import { duplicatesIn, JsonSyntaxError, parseJson } from "./json-text.ts";
import { DecodeError } from "./scalars.ts";
import { kindSchema } from "./schema.ts";

export interface Decoded<T extends KubeObject = KubeObject> {
  readonly object: T;
  /**
   * What strict validation refuses and `Warn` tells, in order: `unknown field "spec.foo"`, `duplicate field "spec.replicas"`.
   */
  readonly strict: readonly string[];
}

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The message of a strict refusal, to stand behind what was being decoded (apimachinery pkg/runtime/error.go). */
export function strictDecodingError(strict: readonly string[]): string {
  return `strict decoding error: ${strict.join(", ")}`;
}

/** Drops duplicates that stand within a field that is unknown anyway. */
function relevant(duplicates: readonly string[], unknown: readonly string[]): string[] {
  return duplicates.filter(
    (path) => !unknown.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`)),
  );
}

/**
 * Reads a parsed value as a kind. Custom resources (kinds outside the table) have their metadata read and the rest left as it is.
 * `text`, where given, is searched for duplicate fields. Throws DecodeError.
 */
export function decodeKind(value: unknown, { apiVersion, kind }: Kind, text?: string): Decoded {
  const schema = kindSchema(apiVersion, kind);
  const duplicates = text === undefined ? [] : duplicatesIn(text, value);
  if (!schema) return decodeCustom(value as Record<string, unknown>, { apiVersion, kind }, duplicates);
  const { fields, unknown } = decodeFields(value ?? {}, schema);
  const strict = [
    ...relevant(duplicates, unknown).map((path) => `duplicate field "${path}"`),
    ...unknown.map((path) => `unknown field "${path}"`),
  ];
  return { object: { apiVersion, kind, ...fields } as KubeObject, strict };
}

function decodeCustom(value: Record<string, unknown>, kind: Kind, duplicates: readonly string[]): Decoded {
  const shell = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: value["metadata"] };
  const schema = kindSchema("v1", "Pod");
  if (!schema) throw new TypeError("the table has no v1 Pod");
  const { fields, unknown } = decodeFields(shell, schema);
  return {
    object: { ...value, ...kind, metadata: fields["metadata"] } as KubeObject,
    strict: [
      ...relevant(duplicates, unknown).map((path) => `duplicate field "${path}"`),
      ...unknown.map((path) => `unknown field "${path}"`),
    ],
  };
}

/** Beginning of a body, as the API server shows it (apimachinery pkg/runtime/error.go summarizeData). */
export function summarize(text: string): string {
  if (text === "") return "<empty>";
  const bytes = Buffer.from(text);
  const more = bytes.length > 30 ? " ..." : "";
  return bytes.subarray(0, 30).toString(text.startsWith("{") ? "utf8" : "hex") + more;
}

const noKind = `struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;

function unrecognized(expected: Kind, cause: string, text: string): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: ${cause} (${summarize(text)})`,
  );
}

/** What Go's decoder says of a body that is no object; undefined where it is one, or null, which counts as an empty one. */
export function notAnObject(value: unknown): string | undefined {
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return found === "object" ? undefined : `json: cannot unmarshal ${found} into Go value of type ${noKind}`;
}

/** Which kind a body says it is; what it leaves out is what is expected there. Throws a StatusError where the body is no object. */
function kindOf(value: unknown, expected: Kind, text: string): Kind {
  if (value === null) return expected;
  const wrong = notAnObject(value);
  if (wrong) throw unrecognized(expected, wrong, text);
  const { apiVersion, kind } = value as Record<string, unknown>;
  for (const [name, one] of Object.entries({ apiVersion, kind })) {
    if (one === undefined || one === null || typeof one === "string") continue;
    const wrong = Array.isArray(one) ? "array" : typeof one === "boolean" ? "bool" : typeof one;
    throw unrecognized(expected, `json: cannot unmarshal ${wrong} into Go struct field .${name} of type string`, text);
  }
  return { apiVersion: (apiVersion as string) || expected.apiVersion, kind: (kind as string) || expected.kind };
}

/** `Deployment in version "v1" cannot be handled as a Deployment: …` (apiserver endpoints/handlers/rest.go transformDecodeError). */
export function cannotBeHandled(actual: Kind, expected: Kind, cause: string): Error {
  const { version } = parseApiVersion(actual.apiVersion);
  return badRequest(
    `${actual.kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${cause}`,
  );
}

/**
 * Reads the JSON body of a write as the kind that its path expects. Throws the StatusError (400) that a real API server answers
 * where it is no JSON, of another kind, or has values of wrong types. What strict mode refuses is returned: see `refuseStrict`.
 */
export function decodeJson(text: string, expected: Kind, lookForDuplicates = true): Decoded {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw unrecognized(expected, error.message, text);
    throw error;
  }
  const actual = kindOf(value, expected, text);
  if (actual.kind !== expected.kind || actual.apiVersion !== expected.apiVersion) {
    throw otherKind(actual, expected);
  }
  try {
    return decodeKind(value, expected, lookForDuplicates ? text : undefined);
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(actual, expected, error.message);
    throw error;
  }
}

/** The StatusError for a body of another kind than its path takes. */
export function otherKind(actual: Kind, expected: Kind): Error {
  const { group } = parseApiVersion(actual.apiVersion);
  const wanted = parseApiVersion(expected.apiVersion);
  const isKnown = kindSchema(actual.apiVersion, actual.kind) !== undefined;
  if (isKnown && group === wanted.group && actual.kind === expected.kind) {
    return badRequest(
      `the API version in the data (${actual.apiVersion}) does not match the expected API version (${expected.apiVersion})`,
    );
  }
  return cannotBeHandled(actual, expected, otherKindCause(actual, expected));
}

/** Why a body of one kind does not become an object of another. */
export function otherKindCause(actual: Kind, expected: Kind): string {
  const { version } = parseApiVersion(actual.apiVersion);
  const wanted = parseApiVersion(expected.apiVersion);
  if (!kindSchema(actual.apiVersion, actual.kind)) {
    const names = `${quote(actual.kind)} is registered for version ${quote(actual.apiVersion)}`;
    return `no kind ${names} in scheme "pkg/runtime/scheme.go:111"`;
  }
  const to = `${wanted.group.replace(/\..*$/, "") || "core"}.${expected.kind}`;
  return `converting (${version}.${actual.kind}) to (${to}): unknown conversion`;
}

/** Throws the 400 of `fieldValidation=Strict` where there is something to refuse. */
export function refuseStrict(strict: readonly string[], { apiVersion, kind }: Kind): void {
  if (strict.length > 0) throw cannotBeHandled({ apiVersion, kind }, { apiVersion, kind }, strictDecodingError(strict));
}
