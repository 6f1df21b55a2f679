import { clone, setField } from "../equality.ts";
import { badRequest } from "../status.ts";
import { type Fields, isFields, jsonKind } from "./errors.ts";

/**
 * A JSON merge patch (RFC 7386): null removes, lists are replaced. Gives a new document; what did not change is shared with the old one. Throws a 400 StatusError
 * where the patch is no object.
 */
export function mergePatch<T>(document: T, patch: unknown): T {
  if (patch === null) throw badRequest("Invalid JSON Patch");
  if (!isFields(patch)) {
    const type = "map[string]interface {}";
    throw badRequest(`error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type ${type}`);
  }
  return merge(document, patch) as T;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return Array.isArray(patch) ? patch.map(withoutNulls) : patch;
  const result: Fields = {};
  if (isFields(target)) {
    for (const key of Object.keys(target)) if (!Object.hasOwn(patch, key)) setField(result, key, target[key]);
  }
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) continue;
    setField(result, key, merge(isFields(target) && Object.hasOwn(target, key) ? target[key] : undefined, patch[key]));
  }
  return result;
}

/** Null fields mean nothing in what is new; null items of lists stay. */
function withoutNulls(value: unknown): unknown {
  return isFields(value) ? merge(undefined, value) : clone(value);
}
