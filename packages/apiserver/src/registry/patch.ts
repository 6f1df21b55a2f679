import {
  badRequest,
  clone,
  decodeKind,
  DecodeError,
  fieldFault,
  invalid,
  jsonPatch,
  JsonSyntaxError,
  kindSchema,
  type KubeObject,
  mergePatch,
  otherKindCause,
  parseJson,
  StatusError,
  strategicMergePatch,
  strictDecodingError,
  unsupportedMediaType,
} from "@dhow/kube";
import { textOf } from "../http/decode.ts";
import { applyObject } from "./apply.ts";
import type { Call } from "./call.ts";
import { parseWriteOptions, type WriteOptions } from "./options.ts";
import type { ObjectAnswer, Registry } from "./registry.ts";
import { unknownFields } from "./resource.ts";
import { updateObject } from "./update.ts";

export const applyPatchType = "application/apply-patch+yaml";

type Patcher = (current: KubeObject, patch: unknown) => unknown;

/** By media type (apiserver/pkg/endpoints/handlers/patch.go). */
const patchers: Readonly<Record<string, Patcher>> = {
  "application/json-patch+json": jsonPatch,
  "application/merge-patch+json": mergePatch,
  "application/strategic-merge-patch+json": (current, patch) =>
    strategicMergePatch(current, patch, kindSchema(current.apiVersion, current.kind)),
};

/** Says nothing of what the server could read instead, unlike a 415 for the body of another write. */
function unsupportedPatch(): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "415: Unsupported Media Type",
    reason: "UnsupportedMediaType",
    details: {},
    code: 415,
  });
}

/**
 * What a patch is applied to and turned back into: the resource itself, or what a subresource such as scale shows of it.
 * Runs again on what is there when another writer was faster.
 */
export async function patchObject(registry: Registry, call: Call): Promise<ObjectAnswer> {
  if (call.contentType === applyPatchType) return applyObject(registry, call);
  const produce = patchReader(call);
  const options = parseWriteOptions("PatchOptions", call.query, false);
  return updateObject(registry, call, {
    options,
    optionsKind: "PatchOptions",
    produce: (current) => acceptPatched(call, produce(current), options),
  });
}

/** Reads the patch of a request once; the result applies it, and throws 400 where it is none. Throws 415. */
export function patchReader(call: Call): (current: KubeObject) => unknown {
  const patcher = Object.hasOwn(patchers, call.contentType) ? patchers[call.contentType] : undefined;
  if (!patcher) throw unsupportedPatch();
  if (call.resource.custom && call.contentType.includes("strategic")) {
    const taken = ["application/json-patch+json", "application/merge-patch+json", applyPatchType];
    throw unsupportedMediaType(taken);
  }
  // Read only where there is something to patch: what is not there is told first.
  let patch: { readonly value: unknown } | undefined;
  const prefix = call.contentType.includes("strategic") ? "" : "error decoding patch: ";
  return (current) => patcher(current, (patch ??= { value: parsePatch(textOf(call.body), prefix) }).value);
}

function parsePatch(text: string, prefix: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(prefix + error.message);
    throw error;
  }
}

/** The patched value must be an object of the kind; what is not, is blamed on the patch. */
export function decodePatched(patched: unknown, kind: { readonly apiVersion: string; readonly kind: string }) {
  try {
    return decodeKind(patched, kind);
  } catch (error) {
    if (error instanceof DecodeError) throw blamed(patched, error.message);
    throw error;
  }
}

function acceptPatched(call: Call, patched: unknown, { fieldValidation }: WriteOptions): KubeObject {
  const { apiVersion, custom, info } = call.resource;
  const expected = { apiVersion, kind: info.kind };
  const decoded = decodePatched(custom ? clone(patched) : patched, expected);
  const { object } = decoded;
  const actual = { apiVersion: object.apiVersion ?? "", kind: object.kind ?? "" };
  if (actual.kind !== expected.kind || actual.apiVersion !== expected.apiVersion)
    throw blamed(patched, otherKindCause(actual, expected));
  const strict = [...decoded.strict, ...unknownFields(custom, object)];
  if (strict.length > 0 && fieldValidation === "Strict") throw blamed(patched, strictDecodingError(strict));
  if (fieldValidation === "Warn") for (const message of strict) call.warn(message);
  return object;
}

/** The server shows the whole patched object (handlers/patch.go: `errors.NewInvalid(schema.GroupKind{}, "", …)`). */
function blamed(patched: unknown, detail: string): StatusError {
  const shown = JSON.stringify(Object.fromEntries(Object.entries(patched ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))));
  const { status } = invalid("", "", "", [fieldFault.invalid("patch", shown, detail)]);
  return new StatusError({ ...status, details: { causes: status.details?.causes ?? [] } });
}
