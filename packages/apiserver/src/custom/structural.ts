import { clone, type FieldFault, fieldFault } from "@dhow/kube";
import { goPattern } from "./patterns.ts";
import { prune } from "./prune.ts";
import { syntaxFault } from "./rules.ts";
import { type Schema, subschemas } from "./schema.ts";
import { validateBySchema } from "./validate.ts";

// apiextensions-apiserver/pkg/apiserver/schema/validation.go: what makes a schema structural

const { forbidden, invalid, notSupported, required } = fieldFault;
const types = ["array", "boolean", "integer", "number", "object", "string"];

/** What is wrong with a definition's schema. */
export function* structuralFaults(schema: Schema, path: string): Generator<FieldFault> {
  if (!schema.type) yield required(`${path}.type`, "must not be empty at the root");
  else if (schema.type !== "object") yield invalid(`${path}.type`, schema.type, "must be object at the root");
  const { metadata } = schema.properties ?? {};
  if (metadata) {
    const others = Object.keys(metadata.properties ?? {}).filter((name) => name !== "name" && name !== "generateName");
    if (others.length > 0 || metadata.additionalProperties) {
      const only = "must not specify anything other than name and generateName, but metadata is implicitly specified";
      yield forbidden(`${path}.properties[metadata]`, only);
      return;
    }
  }
  yield* schemaFaults(schema, path, true);
}

function* schemaFaults(schema: Schema, path: string, root = false): Generator<FieldFault> {
  const { additionalProperties, items, properties, type } = schema;
  const free = schema["x-kubernetes-int-or-string"] || schema["x-kubernetes-preserve-unknown-fields"];
  if (type && !types.includes(type)) yield notSupported(`${path}.type`, type, types);
  if (!type && !free && !root) yield required(`${path}.type`, `must not be empty for specified ${placeOf(path)}`);
  if (type === "array" && !items) yield required(`${path}.items`, "must be specified");
  if (properties && Object.keys(properties).length > 0 && additionalProperties !== undefined) {
    yield forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive");
  }
  if (schema.pattern !== undefined) yield* patternFaults(schema.pattern, path);
  yield* listFaults(schema, path);
  yield* defaultFaults(schema, path);
  for (const [at, { rule = "" }] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    const place = `${path}.x-kubernetes-validations[${at}].rule`;
    if (rule.trim() === "") yield required(place, "rule is not specified");
    const fault = syntaxFault(rule);
    if (fault !== undefined) yield invalid(place, rule, `compilation failed: ${fault}`);
  }
  for (const [below, place] of subschemas(schema, path)) yield* schemaFaults(below, place);
}

function placeOf(path: string): string {
  return path.endsWith(".items") ? "array items" : "object fields";
}

function* patternFaults(pattern: string, path: string): Generator<FieldFault> {
  try {
    goPattern(pattern);
  } catch (error) {
    yield invalid(
      `${path}.pattern`,
      pattern,
      `must be a valid regular expression, but isn't: ${goWording(error, pattern)}`,
    );
  }
}

/** Go's words for what is wrong most often. */
function goWording(error: unknown, pattern: string): string {
  const { message } = error as SyntaxError;
  if (/Unterminated group/.test(message)) return `error parsing regexp: missing closing ): \`${pattern}\``;
  if (/Unmatched '\)'/.test(message)) return `error parsing regexp: unexpected ): \`${pattern}\``;
  if (/Unterminated character class/.test(message)) return `error parsing regexp: missing closing ]: \`${pattern}\``;
  return `error parsing regexp: ${message}`;
}

function* listFaults(schema: Schema, path: string): Generator<FieldFault> {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (schema["x-kubernetes-list-type"] !== "map") return;
  const place = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) yield required(place, "must not be empty if x-kubernetes-list-type is map");
  const known = Object.keys(schema.items?.properties ?? {});
  if (keys.some((key) => !known.includes(key)))
    yield invalid(place, keys, "entries must all be names of item properties");
}

function* defaultFaults(schema: Schema, path: string): Generator<FieldFault> {
  const { default: given } = schema;
  if (given === undefined) return;
  const place = `${path}.default`;
  const copy: unknown = clone(given);
  if (typeof copy === "object" && copy !== null && !Array.isArray(copy)) {
    if (prune(copy as Record<string, unknown>, schema).length > 0)
      yield invalid(place, given, "must not have unknown fields");
  }
  yield* validateBySchema(given, schema, place, "");
}
