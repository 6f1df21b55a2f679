import { clone } from "@dhow/kube";
import type { Schema } from "./schema.ts";

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Stand beside what a schema names: of the object itself, and of objects embedded in it. */
const always = new Set(["apiVersion", "kind", "metadata"]);

/**
 * Drops what the schema does not name (apiextensions-apiserver/pkg/apiserver/schema/pruning/algorithm.go). Alters the object;
 * gives the paths of what went, sorted.
 */
export function prune(object: Fields, schema: Schema): string[] {
  const unknown: string[] = [];
  pruneObject(object, { ...schema, "x-kubernetes-embedded-resource": true }, "", unknown);
  return unknown.sort((a, b) => (a < b ? -1 : 1));
}

function pruneValue(value: unknown, schema: Schema | undefined, path: string, unknown: string[]): void {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) pruneValue(item, schema?.items, `${path}[${at}]`, unknown);
  } else if (isObject(value)) pruneObject(value, schema, path, unknown);
}

function pruneObject(value: Fields, schema: Schema | undefined, path: string, unknown: string[]): void {
  if (!schema) return;
  const { properties = {}, additionalProperties } = schema;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  for (const key of Object.keys(value)) {
    const at = path === "" ? key : `${path}.${key}`;
    if (Object.hasOwn(properties, key)) {
      if (!embedded || key !== "metadata") pruneValue(value[key], properties[key], at, unknown);
    } else if (typeof additionalProperties === "object") pruneValue(value[key], additionalProperties, at, unknown);
    else if (
      additionalProperties !== true &&
      !schema["x-kubernetes-preserve-unknown-fields"] &&
      !(embedded && always.has(key))
    ) {
      delete value[key];
      unknown.push(at);
    }
  }
}

/**
 * Fills in defaults, and drops nulls where none may stand (schema/defaulting/algorithm.go, prunenulls.go). Alters the value.
 */
export function fillDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) fillDefaults(item, schema.items);
    return;
  }
  if (!isObject(value)) return;
  const { properties = {}, additionalProperties } = schema;
  for (const [key, property] of Object.entries(properties)) {
    const isNull = value[key] === null && !property.nullable;
    if (isNull && property.default === undefined) delete value[key];
    if ((isNull || value[key] === undefined) && property.default !== undefined) value[key] = clone(property.default);
    fillDefaults(value[key], property);
  }
  if (typeof additionalProperties !== "object") return;
  for (const [key, item] of Object.entries(value)) {
    if (!Object.hasOwn(properties, key)) fillDefaults(item, additionalProperties);
  }
}
