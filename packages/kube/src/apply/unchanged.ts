import { deepEqual } from "../equality.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../objects.ts";

/**
 * Whether a write would change nothing but the times in managedFields: such a write is not carried out (apiserver/pkg/endpoints/handlers/fieldmanager/equality.go). To be asked after defaults and admission.
 */
export function onlyTimesDiffer(stored: KubeObject, updated: KubeObject): boolean {
  return deepEqual(stored, updated) || deepEqual(withoutTimes(stored), withoutTimes(updated));
}

function withoutTimes(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, managedFields: (managedFields ?? []).map(withoutTime) } };
}

function withoutTime(entry: ManagedFieldsEntry): ManagedFieldsEntry {
  const { time: _, ...rest } = entry;
  return rest;
}
