import type { ManagedFieldsEntry } from "../generated/types.ts";
import { type FieldSet, isEmpty, union } from "./field-set.ts";

/** One writer and the fields that it owns. */
export interface ManagedSet {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** All writers of an object, by their identity. */
export type Managers = Map<string, ManagedSet>;

/** Who a writer is. An applier stays itself when it changes the version; an updater does not (managedfields.go, BuildManagerIdentifier). */
export function identityOf(writer: Omit<ManagedSet, "fields" | "time">): string {
  const version = writer.operation === "Apply" ? "" : writer.apiVersion;
  return JSON.stringify([writer.manager, writer.operation, version, writer.subresource]);
}

/** Reads an object's managedFields; undefined where they are malformed. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    const { manager = "", operation, apiVersion, subresource = "", time, fieldsType, fieldsV1 } = entry;
    if ((operation !== "Apply" && operation !== "Update") || !apiVersion || fieldsType !== "FieldsV1") return undefined;
    const fields = (fieldsV1 ?? {}) as FieldSet;
    const set: ManagedSet = { manager, operation, apiVersion, subresource, time, fields };
    managers.set(identityOf(set), set);
  }
  return managers;
}

/** Writes managedFields in the server's order: appliers first, then by time, name, version, subresource; undefined where nobody owns anything. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareManagers).map((set) => ({
    manager: set.manager,
    operation: set.operation,
    apiVersion: set.apiVersion,
    ...(set.time ? { time: set.time } : {}),
    fieldsType: "FieldsV1",
    fieldsV1: set.fields,
    ...(set.subresource ? { subresource: set.subresource } : {}),
  }));
}

function compareManagers(a: ManagedSet, b: ManagedSet): number {
  return (
    compareTexts(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  );
}

function secondsOf(set: ManagedSet): number {
  return set.time ? Math.floor(Date.parse(set.time) / 1000) : 0;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** So many updaters are remembered by name; the oldest beyond that become one. */
const mostUpdaters = 10;

/** Merges the oldest updaters of each version into `ancient-changes` until there are few enough (capmanagers.go). */
export function capUpdaters(managers: Managers): void {
  const updaters = [...managers].filter(([, set]) => set.operation === "Update");
  if (updaters.length <= mostUpdaters) return;
  updaters.sort(([idA, a], [idB, b]) => secondsOf(a) - secondsOf(b) || compareTexts(idA, idB));
  const firstOfVersion = new Map<string, string>();
  let count = updaters.length;
  for (const [identity, set] of updaters) {
    if (count <= mostUpdaters) return;
    const first = firstOfVersion.get(set.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(set.apiVersion, identity);
      continue;
    }
    const bucket = {
      manager: "ancient-changes",
      operation: "Update",
      apiVersion: set.apiVersion,
      subresource: "",
    } as const;
    const bucketIdentity = identityOf(bucket);
    const earlier = managers.get(bucketIdentity) ?? managers.get(first);
    if (!managers.has(bucketIdentity)) managers.delete(first);
    managers.delete(identity);
    managers.set(bucketIdentity, { ...bucket, time: set.time, fields: union(set.fields, earlier?.fields ?? {}) });
    count -= 1;
  }
}

/** Sets or, where it owns nothing any more, removes a writer. */
export function putManager(managers: Managers, identity: string, set: ManagedSet): void {
  if (isEmpty(set.fields)) managers.delete(identity);
  else managers.set(identity, set);
}
