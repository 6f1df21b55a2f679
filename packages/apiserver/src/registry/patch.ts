import { badRequest, clone, invalid, type KubeObject, StatusError } from "@dhow/kube";
import { parseWriteOptions } from "./options.ts";
import type { Call } from "./call.ts";
import type { ObjectAnswer, Registry } from "./registry.ts";
import { updateObject } from "./update.ts";

/** Kinds of patches by media type. */
export const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** Where a patch is not a patch at all: no word about what is wrong with it. */
export function unprocessable(): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "the server rejected our request due to an error in our request",
    reason: "Invalid",
    details: {},
    code: 422,
  });
}

export function unsupportedPatch(): StatusError {
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

/** RFC 7386 by hand, until the kube package has it. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result = (
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {}
  ) as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

export async function patchObject(registry: Registry, call: Call): Promise<ObjectAnswer> {
  const options = parseWriteOptions("PatchOptions", call.query, call.contentType === patchTypes.apply);
  let patch: unknown;
  try {
    patch = JSON.parse(Buffer.from(call.body).toString("utf8"));
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
  return updateObject(registry, call, {
    options,
    optionsKind: "PatchOptions",
    produce: (current) => merge(clone(current), patch) as KubeObject,
    create: call.contentType === patchTypes.apply ? () => patch as KubeObject : undefined,
  });
}
export { invalid };
