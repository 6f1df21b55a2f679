import { difference, type FieldSet, intersection, isEmpty, union } from "./field-set.ts";
import { fieldsInAnyOrder } from "./fields-of.ts";
import type { Managers } from "./managers.ts";
import type { MapType } from "./node-type.ts";
import { removeFields, withNamedFields } from "./remove.ts";

/**
 * Removes what an applier applied last time, does not apply now, and nobody else owns (structured-merge-diff/merge/update.go, prune). `managers` hold the applier's new set already.
 */
export function prune(merged: object, managers: Managers, last: FieldSet | undefined, type: MapType): object {
  if (!last || isEmpty(last)) return merged;
  let owned: FieldSet = {};
  for (const set of managers.values()) owned = union(owned, set.fields);
  if (isEmpty(difference(last, owned))) return merged;
  const lastNamed = withNamedFields(last, type);
  const fieldsLeft = (object: object) => withNamedFields(fieldsInAnyOrder(object, type), type);
  const mergedFields = fieldsLeft(merged);
  const pruned = removeFields(merged, lastNamed, type);
  const kept = union(fieldsLeft(pruned), withNamedFields(owned, type));
  const withOwned = removeFields(merged, difference(mergedFields, kept), type);
  const gone = difference(mergedFields, fieldsLeft(withOwned));
  return removeFields(merged, intersection(gone, lastNamed), type);
}
