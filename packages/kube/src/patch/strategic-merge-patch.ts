import { clone, setField } from "../equality.ts";
import type { FieldSchema } from "../schema/field.ts";
import type { ObjectSchema } from "../schema/schema.ts";
import { badRequest } from "../status.ts";
import { type Fields, isFields, jsonKind, unforeseen } from "./errors.ts";
import { goFormat } from "./go-format.ts";
import { applyElementOrder } from "./element-order.ts";
import { mergeLists } from "./merge-lists.ts";
import { discardNulls, withoutDirectives } from "./new-values.ts";

const deletePrefix = "$deleteFromPrimitiveList";
const orderPrefix = "$setElementOrder";

/**
 * A strategic merge patch: lists are merged by the keys that the schema names, and directives (`$patch`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x`) are carried out, as
 * apimachinery/pkg/util/strategicpatch/patch.go does. Gives a new document. Throws the StatusError of the server where the patch is malformed.
 */
export function strategicMergePatch<T>(document: T, patch: unknown, schema: ObjectSchema | undefined): T {
  if (patch === null) return document;
  if (!isFields(patch)) {
    const type = "map[string]interface {}";
    throw badRequest(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type ${type}`);
  }
  return mergeFields(clone(document) as Fields, clone(patch), schema) as T;
}

/** Merges `patch` into `original`; both are altered. */
function mergeFields(original: Fields, patch: Fields, schema: ObjectSchema | undefined): Fields {
  if (Object.hasOwn(patch, "$patch")) return replaceOrDelete(patch);
  retainKeys(original, patch);
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    const field = schema?.field(afterSlash(key, orderPrefix));
    applyElementOrder(original, patch, key, field?.mergeKey, (live, changes) => mergeList(live, changes, field));
  }
  for (const key of Object.keys(patch)) {
    if (key.startsWith(deletePrefix)) deleteFromList(original, afterSlash(key, deletePrefix), patch[key]);
    else mergeField(original, key, patch[key], schema);
  }
  return original;
}

function mergeField(original: Fields, key: string, value: unknown, schema: ObjectSchema | undefined): void {
  if (value === null) {
    delete original[key];
    return;
  }
  const old = Object.hasOwn(original, key) ? original[key] : undefined;
  const field = schema?.field(key);
  if (isFields(old) && isFields(value)) {
    const replaces = field?.patchStrategies.includes("replace") ?? false;
    original[key] = replaces ? value : mergeFields(old, value, objectOf(field));
  } else if (Array.isArray(old) && Array.isArray(value)) {
    original[key] = mergeList(old, value, field);
  } else {
    discardNulls(value);
    const kept = withoutDirectives(value);
    if (kept === undefined) delete original[key];
    else setField(original, key, kept);
  }
}

function mergeList(live: unknown[], changes: unknown[], field: FieldSchema | undefined): unknown[] {
  if (!field?.patchStrategies.includes("merge")) return changes;
  return mergeLists(live, changes, field.mergeKey, (old, item) => mergeFields(old, item, objectOf(field)));
}

function replaceOrDelete(patch: Fields): Fields {
  const { $patch: directive, ...rest } = patch;
  if (directive === "replace") return rest;
  if (directive === "delete") return {};
  throw unforeseen(
    `unknown patch type: ${typeof directive === "number" ? `%!s(int64=${directive})` : goFormat(directive)} in map: ${goFormat(patch)}`,
  );
}

/** Removes every field that the directive does not name; the patch may not set others either. */
function retainKeys(original: Fields, patch: Fields): void {
  if (!Object.hasOwn(patch, "$retainKeys")) return;
  const { $retainKeys: list } = patch;
  delete patch["$retainKeys"];
  if (!Array.isArray(list)) throw badRequest("invalid patch format of retainKeys");
  const retained = new Set<unknown>(list);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    if (!retained.has(key)) throw badRequest("invalid patch format of retainKeys");
  }
  for (const key of Object.keys(original)) if (!retained.has(key)) delete original[key];
}

function deleteFromList(original: Fields, key: string, values: unknown): void {
  if (values === null) delete original[key];
  const old = Object.hasOwn(original, key) ? original[key] : undefined;
  if (!Array.isArray(old) || !Array.isArray(values)) return;
  const gone = new Set<unknown>(values);
  original[key] = old.filter((item) => !gone.has(item));
}

function afterSlash(directive: string, prefix: string): string {
  const slash = directive.indexOf("/");
  if (directive.slice(0, slash) === prefix) return directive.slice(slash + 1);
  const what = prefix === deletePrefix ? "primitive list" : "setElementOrder list";
  throw badRequest(`invalid patch format of ${what}`);
}

/** The schema of an object field, or of a list's items. */
function objectOf(field: FieldSchema | undefined): ObjectSchema | undefined {
  const value = field?.value;
  const inner = value?.form === "list" ? value.element : value;
  return inner?.form === "object" ? inner.object : undefined;
}
