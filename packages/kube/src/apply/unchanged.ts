import { deepEqual } from "../equality.ts";
import type { KubeObject } from "../objects.ts";

/**
 * Whether a write would change nothing but the times in managedFields: such a write is not carried out (apiserver/pkg/endpoints/handlers/fieldmanager/equality.go). To be asked after defaults and admission.
 */
export function onlyTimesDiffer(stored: KubeObject, updated: KubeObject): boolean {
  // A write that changes something does so outside of the metadata, as a rule: that is found out first.
  for (const field in updated) if (field !== "metadata" && !deepEqual(updated[field], stored[field])) return false;
  for (const field in stored) if (stored[field] !== undefined && updated[field] === undefined) return false;
  return deepEqual(withoutTimes(stored.metadata), withoutTimes(updated.metadata));
}

function withoutTimes(metadata: KubeObject["metadata"]): KubeObject["metadata"] {
  const { managedFields } = metadata;
  if (!managedFields) return metadata;
  return { ...metadata, managedFields: managedFields.map((entry) => ({ ...entry, time: undefined })) };
}
