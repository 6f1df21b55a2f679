import { clone, deepEqual, setField } from "../equality.ts";
import type { KubeObject } from "../objects.ts";
import { unforeseen } from "../patch/errors.ts";
import { parseApiVersion } from "../resources.ts";
import type { ObjectSchema } from "../schema/schema.ts";
import { badRequest } from "../status.ts";
import { timestamp } from "../timestamp.ts";
import { compareObjects } from "./compare.ts";
import { conflictError } from "./conflict-error.ts";
import { difference, exclude, type FieldSet, isEmpty } from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { kubectlManager, lastAppliedFields, renewLastApplied } from "./last-applied.ts";
import { capUpdaters, decodeManagers, identityOf, type Managers, putManager } from "./managers.ts";
import { mergeApplied } from "./merge.ts";
import { type MapType, typeOf } from "./node-type.ts";
import { conflictsOf, ownable, resetFieldsOf, takeOver, withoutReset } from "./ownership.ts";
import { prune } from "./prune.ts";
import { recordUpdate, withManagers, withoutManaged } from "./track-update.ts";
import { joinFaults, schemaFaults } from "./validate.ts";

export interface ApplyPatchOptions {
  /** The request's fieldManager. */
  readonly manager: string;
  /** Takes over what others own. */
  readonly force: boolean;
  /** `status`, `scale`; empty for the object itself. */
  readonly subresource?: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Undefined for custom resources. */
  readonly schema: ObjectSchema | undefined;
  /** Of a custom resource: see `customType`. Without it lists are owned as a whole. */
  readonly type?: MapType | undefined;
}

/**
 * Server-side apply (managedfields/internal/fieldmanager.go, Apply): lays `applied` over what is stored, removes what the manager applied before and does not any more, and records who owns what. `current` is undefined where the object
 * is created by it. Gives a new object that the caller may alter; neither given one is. Throws StatusErrors: 409 with each conflict unless `force`, 400 for another version or managedFields in `applied`, 500 for what does
 * not fit the schema, as the API server does.
 */
export function applyPatch(
  current: KubeObject | undefined,
  applied: KubeObject,
  options: ApplyPatchOptions,
): { object: KubeObject } {
  check(current, applied, options.type ?? typeOf(options.schema));
  const live: KubeObject = current ?? { apiVersion: applied.apiVersion, kind: applied.kind, metadata: {} };
  const managers = decodeManagers(current?.metadata.managedFields);
  if (!managers) throw unforeseen("failed to decode managed fields");
  if (managers.size === 0 && current) recordFirst(managers, current, options);
  const plain = withoutManaged(live) as KubeObject;
  const outcome = carryOut(plain, applied, managers, options);
  const object = withManagers(outcome.object, outcome.managers);
  return { object: options.manager === kubectlManager ? renewLastApplied(object, applied) : object };
}

/** What is there before the first apply belongs to somebody. */
function recordFirst(managers: Managers, current: KubeObject, options: ApplyPatchOptions): void {
  recordUpdate(managers, {}, current, { ...options, manager: "before-first-apply" });
  capUpdaters(managers);
}

interface Outcome {
  readonly object: KubeObject;
  readonly managers: Managers;
}

function carryOut(live: KubeObject, applied: KubeObject, managers: Managers, options: ApplyPatchOptions): Outcome {
  const attempt = apply(live, applied, new Map(managers), options, options.force);
  if ("managers" in attempt) return attempt;
  if (options.manager !== kubectlManager) throw conflictError(attempt.conflicts, managers);
  const allowed = lastAppliedFields(live, options.type ?? typeOf(options.schema));
  const left = allowed ? disallowed(attempt.conflicts, allowed) : attempt.conflicts;
  if (left.size > 0) throw conflictError(left, managers);
  return apply(live, applied, new Map(managers), options, true) as Outcome;
}

function disallowed(conflicts: ReadonlyMap<string, FieldSet>, allowed: FieldSet): Map<string, FieldSet> {
  const left = new Map<string, FieldSet>();
  for (const [identity, fields] of conflicts) {
    const rest = difference(fields, allowed);
    if (!isEmpty(rest)) left.set(identity, rest);
  }
  return left;
}

function apply(
  live: KubeObject,
  applied: KubeObject,
  managers: Managers,
  options: ApplyPatchOptions,
  force: boolean,
): Outcome | { conflicts: ReadonlyMap<string, FieldSet> } {
  const { schema, subresource = "" } = options;
  const type = options.type ?? typeOf(schema);
  const reset = resetFieldsOf(schema, live.kind, subresource);
  const writer = {
    manager: options.manager,
    operation: "Apply",
    apiVersion: applied.apiVersion,
    subresource,
  } as const;
  const identity = identityOf(writer);
  const last = managers.get(identity);
  const fields = exclude(fieldsOf(applied, type), reset);
  managers.set(identity, { ...writer, time: last?.time, fields });
  const object = prune(mergeApplied(live, applied, type), managers, last?.fields, type) as KubeObject;
  const comparison = withoutReset(compareObjects(live, object, type), reset);
  const conflicts = conflictsOf(managers, comparison, identity);
  if (!force && conflicts.size > 0) return { conflicts };
  takeOver(managers, conflicts, comparison.removed, identity);
  const changed = !deepEqual(live, object);
  const time = changed ? timestamp(options.now) : last?.time;
  putManager(managers, identity, { ...writer, time, fields: ownable(fields) });
  return { object: changed ? (withoutNulls(object, schema) as KubeObject) : clone(live), managers };
}

/** Null is nothing in a field that the schema knows. */
function withoutNulls(value: unknown, schema: ObjectSchema | undefined): unknown {
  if (!schema) return clone(value);
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, schema));
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field !== null && field !== undefined) setField(result, key, withoutNulls(field, schema));
  }
  return result;
}

function check(current: KubeObject | undefined, applied: KubeObject, type: MapType): void {
  const expected = current?.apiVersion ?? applied.apiVersion;
  if (applied.apiVersion !== expected) {
    const versions = `Specified patch version: ${applied.apiVersion}, expected: ${expected}`;
    throw badRequest(`Incorrect version specified in apply patch. ${versions}`);
  }
  if (applied.metadata?.managedFields) throw badRequest("metadata.managedFields must be nil");
  const faults = schemaFaults(applied, type);
  if (faults.length === 0) return;
  const { namespace = "", name = "" } = applied.metadata ?? {};
  const { group, version } = parseApiVersion(applied.apiVersion);
  const subject = `${namespace}/${name}; ${group}/${version}, Kind=${applied.kind}`;
  throw unforeseen(`failed to create typed patch object (${subject}): ${joinFaults(faults)}`);
}
