import { kindSchema, type KubeObject, type ObjectSchema, trackUpdate } from "@dhow/kube";
import type { Clock } from "@dhow/base";
import type { Call } from "./call.ts";
import type { Resource } from "./resource.ts";

/** Undefined for kinds that no schema describes. */
export function schemaOf({ custom, apiVersion, info }: Resource): ObjectSchema | undefined {
  return custom ? undefined : kindSchema(apiVersion, info.kind);
}

/** Notes in the object's managedFields what the writer set, compared with what is stored; both are in the stored version. */
export function trackManager(
  call: Call,
  clock: Clock,
  object: KubeObject,
  old: KubeObject | undefined,
  fieldManager: string,
): void {
  const { apiVersion, custom } = call.resource;
  // Versions of a custom kind have the same fields: the entry tells the one that was written.
  const seen = custom ? { ...object, apiVersion } : object;
  const tracked = trackUpdate(old, seen, {
    manager: managerOf(call, fieldManager),
    subresource: call.subresource,
    now: clock.now(),
    schema: custom ? undefined : kindSchema(object.apiVersion, object.kind),
    type: custom?.type,
  });
  object.metadata = tracked.metadata;
}

/** A write that names no field manager is its program's: what its user agent says before the first slash. */
function managerOf(call: Call, fieldManager: string): string {
  return (fieldManager || call.userAgent.split("/")[0] || "unknown").slice(0, 128);
}
