import { deepFreeze } from "../equality.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../objects.ts";
import { decodeFields } from "../schema/decode.ts";
import type { ObjectSchema } from "../schema/schema.ts";
import { timestamp } from "../timestamp.ts";
import { compareObjects } from "./compare.ts";
import { difference, exclude, isEmpty, leaf, union } from "./field-set.ts";
import { capUpdaters, decodeManagers, encodeManagers, identityOf, type Managers, putManager } from "./managers.ts";
import { type MapType, typeOf } from "./node-type.ts";
import { conflictsOf, ownable, resetFieldsOf, takeOver, withoutReset } from "./ownership.ts";

export interface UpdateOptions {
  /** Who writes: the request's fieldManager, else what stands before the first `/` of its User-Agent. */
  readonly manager: string;
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
 * Records in managedFields who owns what after a create, update or patch other than apply (managedfields/internal/fieldmanager.go, Update). Compares with what is stored, `old`, which is undefined at creation. Gives `updated` with new
 * metadata; neither is altered. The client's own managedFields in `updated` count where they are valid; an empty list forgets them all.
 */
export function trackUpdate<T extends KubeObject>(old: KubeObject | undefined, updated: T, options: UpdateOptions): T {
  const { subresource = "" } = options;
  const managers = managersFor(old, updated, subresource);
  if (managers.size === 0 && old) return withManagers(updated, managers);
  try {
    recordUpdate(managers, old ?? nothingOf(options.schema), updated, { ...options, subresource });
  } catch {
    // A list with items that have no key cannot be tracked; the server then gives up, too (UpdateNoErrors).
    return withManagers(updated, new Map());
  }
  capUpdaters(managers);
  return withManagers(updated, managers);
}

const nothings = new WeakMap<ObjectSchema, object>();

/** What stands before a creation: an empty Go value, whose structs are there already, so that nobody owns them as a whole. */
function nothingOf(schema: ObjectSchema | undefined): object {
  if (!schema) return {};
  let nothing = nothings.get(schema);
  if (!nothing) nothings.set(schema, (nothing = deepFreeze(decodeFields({}, schema).fields)));
  return nothing;
}

/** Compares and moves ownership to the writer; the time changes where it set something. */
export function recordUpdate(managers: Managers, old: object, updated: KubeObject, options: UpdateOptions): void {
  const { schema, subresource = "" } = options;
  const reset = resetFieldsOf(schema, updated.kind, subresource);
  const type = options.type ?? typeOf(schema);
  const comparison = withoutReset(compareObjects(withoutManaged(old), withoutManaged(updated), type), reset);
  const writer = {
    manager: options.manager || "unknown",
    operation: "Update",
    apiVersion: updated.apiVersion,
    subresource,
  } as const;
  const identity = identityOf(writer);
  takeOver(managers, conflictsOf(managers, comparison, identity), comparison.removed, identity);
  const before = managers.get(identity);
  const kept = difference(before?.fields ?? leaf, comparison.removed);
  const written = ownable(exclude(union(comparison.modified, comparison.added), reset));
  if (!isEmpty(written)) {
    managers.set(identity, { ...writer, time: timestamp(options.now), fields: union(kept, written) });
  } else if (before && kept !== before.fields) putManager(managers, identity, { ...before, fields: kept });
}

function managersFor(old: KubeObject | undefined, updated: KubeObject, subresource: string): Managers {
  const live = () => decodeManagers(old?.metadata.managedFields) ?? new Map();
  const given = updated.metadata.managedFields;
  if (subresource !== "" || given === undefined || given === null) return live();
  if (given === old?.metadata.managedFields) return live();
  if (isReset(given)) return new Map();
  const decoded = decodeManagers(given);
  return decoded && decoded.size > 0 ? decoded : live();
}

function isReset(entries: readonly ManagedFieldsEntry[]): boolean {
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0);
}

/** The object without its managedFields, which are not compared. */
export function withoutManaged(object: object): object {
  const { metadata } = object as { metadata?: { managedFields?: unknown } };
  if (metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

export function withManagers<T extends KubeObject>(object: T, managers: Managers): T {
  const { managedFields: _, ...metadata } = object.metadata;
  const entries = encodeManagers(managers);
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata };
}
