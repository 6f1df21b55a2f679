import type { ObjectSchema } from "../schema/schema.ts";
import type { Comparison } from "./compare.ts";
import { difference, exclude, type FieldSet, intersection, isEmpty, leaf, union } from "./field-set.ts";
import { type Managers, putManager } from "./managers.ts";

/** What is nobody's: the server's own part of the metadata (stripmeta.go). */
const strippedFields: FieldSet = {
  "f:apiVersion": leaf,
  "f:kind": leaf,
  "f:metadata": {
    ".": leaf,
    "f:clusterName": leaf,
    "f:creationTimestamp": leaf,
    "f:generation": leaf,
    "f:managedFields": leaf,
    "f:name": leaf,
    "f:namespace": leaf,
    "f:resourceVersion": leaf,
    "f:selfLink": leaf,
    "f:uid": leaf,
  },
};

/** What a writer may own of what it wrote. */
export function ownable(fields: FieldSet): FieldSet {
  return difference(fields, strippedFields);
}

/**
 * Fields that a request cannot write, and so does not come to own: the status on the main path, everything else on that of the status (GetResetFields in registry/.../strategy.go).
 */
export function resetFieldsOf(schema: ObjectSchema | undefined, kind: string, subresource: string): FieldSet {
  if (subresource === "status") {
    if (!schema) return customStatusReset;
    return statusResets[kind] ?? specReset;
  }
  return subresource === "" && (!schema || schema.field("status")) ? statusReset : leaf;
}

const statusReset: FieldSet = { "f:status": leaf };
const specReset: FieldSet = { "f:spec": leaf };
const customStatusReset: FieldSet = { "f:metadata": leaf, "f:spec": leaf };
const statusResets: Readonly<Record<string, FieldSet>> = {
  Deployment: { "f:metadata": { "f:labels": leaf }, "f:spec": leaf },
  Pod: { "f:metadata": { "f:deletionTimestamp": leaf, "f:ownerReferences": leaf }, "f:spec": leaf },
};

/** The comparison without fields that do not count. */
export function withoutReset(comparison: Comparison, reset: FieldSet): Comparison {
  if (isEmpty(reset)) return comparison;
  return {
    added: exclude(comparison.added, reset),
    modified: exclude(comparison.modified, reset),
    removed: exclude(comparison.removed, reset),
  };
}

/** Fields of each writer, except the one named, that were set to something else: what an applier conflicts with. */
export function conflictsOf(managers: Managers, comparison: Comparison, except?: string): Map<string, FieldSet> {
  const changed = union(comparison.modified, comparison.added);
  const conflicts = new Map<string, FieldSet>();
  for (const [identity, set] of managers) {
    if (identity === except) continue;
    const conflict = intersection(set.fields, changed);
    if (!isEmpty(conflict)) conflicts.set(identity, conflict);
  }
  return conflicts;
}

/** Takes from each writer, except the one named, what it lost. */
export function takeOver(
  managers: Managers,
  conflicts: ReadonlyMap<string, FieldSet>,
  removed: FieldSet,
  except?: string,
): void {
  for (const [identity, set] of managers) {
    if (identity === except) continue;
    const lost = difference(set.fields, conflicts.get(identity) ?? leaf);
    const fields = difference(lost, removed);
    if (fields !== set.fields) putManager(managers, identity, { ...set, fields });
  }
}
