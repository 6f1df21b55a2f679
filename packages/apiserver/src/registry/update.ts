import {
  badRequest,
  conflict,
  deepEqual,
  fieldFault,
  invalid,
  isStatusError,
  type KubeObject,
  notFound,
  onlyTimesDiffer,
  timestamp,
} from "@dhow/kube";
import { WriteConflict } from "../storage/storage.ts";
import type { StoredObject } from "../storage/resource-table.ts";
import { validateObjectMetaUpdate } from "../validation/metadata.ts";
import type { Call } from "./call.ts";
import { createObject } from "./create.ts";
import { dropDuplicateOwners } from "./fields.ts";
import { countsGenerations, needsRevision } from "./write-rules.ts";
import { trackManager } from "./managed.ts";
import type { WriteOptions } from "./options.ts";
import {
  type Admitting,
  admit,
  attributesOf,
  type ObjectAnswer,
  type Registry,
  validateAdmission,
} from "./registry.ts";
import { requestedKey, type Resource, served, servedText } from "./resource.ts";
import { parseRevision, plainFailure } from "./revision.ts";

/** A write of something that exists already, or of what may be created by it. */
export interface Update {
  readonly options: WriteOptions;
  readonly optionsKind: "UpdateOptions" | "PatchOptions";
  /**
   * What the object shall become, in the served version; called again with what is there whenever another writer was faster.
   * The result is the callee's to alter. `current` is frozen.
   */
  readonly produce: (current: KubeObject) => KubeObject | Promise<KubeObject>;
  /** What to create where there is nothing; undefined: not found. */
  readonly create?: (() => KubeObject | Promise<KubeObject>) | undefined;
  /** Whether `produce` noted its field manager itself, as server-side apply does. */
  readonly tracked?: boolean;
}

/** So many other writers may be faster before the caller hears of it. A real server gives up on a patch after five. */
const tries = 50;

export async function updateObject(registry: Registry, call: Call, update: Update): Promise<ObjectAnswer> {
  const { resource, namespace, name } = call;
  const key = requestedKey(resource, namespace, name);
  for (let attempt = 1; ; attempt++) {
    const current = registry.storage.get(resource.storedAs, key);
    if (!current) {
      if (!update.create || call.subresource !== "") throw notFound(resource.name, name);
      const created = await createUnlessThere(registry, call, update);
      if (created) return created;
      continue;
    }
    try {
      return await replace(registry, call, update, current);
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      if (attempt >= tries) throw conflict(resource.name, name);
    }
  }
}

/** Undefined when another writer was faster: then there is something to update. */
async function createUnlessThere(registry: Registry, call: Call, update: Update): Promise<ObjectAnswer | undefined> {
  const object = await update.create?.();
  if (!object) throw notFound(call.resource.name, call.name);
  checkNames(call, object);
  const { uid } = object.metadata;
  if (uid) {
    throw conflict(
      call.resource.name,
      call.name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  }
  try {
    return await createObject(registry, call, object, update.options, update.tracked);
  } catch (error) {
    if (isStatusError(error, "AlreadyExists") && update.optionsKind === "PatchOptions") return undefined;
    throw error;
  }
}

async function replace(registry: Registry, call: Call, update: Update, current: StoredObject): Promise<ObjectAnswer> {
  const { resource } = call;
  const { strategy } = resource;
  const old = served(resource, current);
  const wished = await update.produce(old);
  checkNames(call, wished);
  const object = resource.conversion ? resource.conversion.toStored(wished) : wished;
  checkPreconditions(call, object, current, update.optionsKind === "UpdateOptions");
  strategy.applyDefaults?.(object);
  if (!update.tracked) trackManager(call, registry.clock, object, current.object, update.options.fieldManager);
  const attributes = attributesOf(call, "UPDATE", {
    dryRun: update.options.dryRun,
    object,
    old: current.object,
    options: { kind: update.optionsKind, apiVersion: "meta.k8s.io/v1" },
  });
  await admit(registry, attributes);
  const after = update.optionsKind === "PatchOptions" ? " after mutating admission happens" : "";
  dropDuplicateOwners(object, (message) => call.warn(message), after);
  prepare(registry, call, object, current.object);
  validate(call, object, current.object);
  await validateAdmission(registry, attributes);
  return save(registry, call, update.options, object, current, attributes);
}

async function save(
  registry: Registry,
  call: Call,
  { dryRun }: WriteOptions,
  object: KubeObject,
  current: StoredObject,
  attributes: Admitting,
): Promise<ObjectAnswer> {
  const { resource } = call;
  if (isFinished(object, current.object)) {
    if (!dryRun) {
      await registry.storage.remove(resource.storedAs, current.key, current.revision, object);
      resource.strategy.afterDelete?.(object, registry.store);
    }
    return answer(resource, attributes.object ?? object);
  }
  if (onlyTimesDiffer(current.object, object))
    return { status: 200, object: served(resource, current), text: servedText(resource, current) };
  if (dryRun) return answer(resource, object);
  const stored = await registry.storage.put(resource.storedAs, current.key, object, current.revision);
  return { status: 200, object: served(resource, stored), text: servedText(resource, stored) };
}

function answer(resource: Resource, object: KubeObject): ObjectAnswer {
  return { status: 200, object: resource.conversion ? resource.conversion.fromStored(object) : object };
}

/** Whether nothing holds a deleted object back any more (registry/generic/registry/store.go ShouldDeleteDuringUpdate). */
function isFinished(object: KubeObject, old: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = old.metadata;
  if (!deletionTimestamp || (object.metadata.finalizers ?? []).length > 0) return false;
  if (object.kind === "Namespace") {
    return ((object["spec"] as { finalizers?: string[] } | undefined)?.finalizers ?? []).length === 0;
  }
  return deletionGracePeriodSeconds === 0;
}

/** Fills in the namespace; throws 400 where an object is not the one that the path names. */
export function checkNames({ resource, namespace, name }: Call, { metadata }: KubeObject): void {
  if (!metadata.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (!resource.info.namespaced) return;
  metadata.namespace ||= namespace as string;
  if (metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

function checkPreconditions(
  { resource, name }: Call,
  { metadata }: KubeObject,
  current: StoredObject,
  uidCounts: boolean,
): void {
  const found = current.object.metadata.uid;
  if (uidCounts && metadata.uid && metadata.uid !== found) {
    const place = `/registry/${resource.info.resource}/${current.key}`;
    const mismatch = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${found}`;
    throw conflict(
      resource.name,
      name,
      `StorageError: invalid object, Code: 4, Key: ${place}, ResourceVersion: 0, AdditionalErrorMsg: ${mismatch}`,
    );
  }
  const revision = parseRevision(metadata.resourceVersion, plainFailure) ?? 0;
  if (revision === 0) {
    if (needsRevision(resource)) {
      const fault = fieldFault.invalid("metadata.resourceVersion", 0, "must be specified for an update");
      throw invalid(resource.info.group, resource.info.resource, name, [fault]);
    }
    metadata.resourceVersion = String(current.revision);
  } else if (revision !== current.revision) throw conflict(resource.name, name);
}

/** apiserver/pkg/registry/rest/update.go BeforeUpdate: what a writer may leave out, and what it may not choose. */
function prepare(registry: Registry, call: Call, object: KubeObject, old: KubeObject): void {
  const { strategy } = call.resource;
  const { metadata } = object;
  keep(metadata, old.metadata, "generation");
  if (call.subresource === "status") prepareStatus(call.resource, object, old);
  else {
    // Subresources such as scale come with a strategy of their own (subresources/view.ts).
    if ("status" in old || "status" in object) keepStatus(call.resource, object, old);
    strategy.prepareForUpdate?.(object, old, registry.store);
    if (countsGenerations(call.resource) && isAskedDifferently(object, old)) {
      metadata.generation = (old.metadata.generation ?? 0) + 1;
    }
  }
  metadata.uid ||= old.metadata.uid as string;
  keep(metadata, old.metadata, "creationTimestamp");
  if (old.metadata.deletionTimestamp) keep(metadata, old.metadata, "deletionTimestamp");
  if (metadata.deletionGracePeriodSeconds === undefined) keep(metadata, old.metadata, "deletionGracePeriodSeconds");
  if (old.metadata.generateName && !metadata.generateName) metadata.generateName = old.metadata.generateName;
  delete metadata["selfLink" as keyof typeof metadata];
}

function keep<T extends object>(target: T, source: T, field: keyof T): void {
  if (source[field] === undefined) delete target[field];
  else target[field] = source[field];
}

function keepStatus(resource: Resource, object: KubeObject, old: KubeObject): void {
  if (!resource.info.subresources.some(({ name }) => name === "status")) return;
  if (old["status"] === undefined) delete object["status"];
  else object["status"] = old["status"];
}

function prepareStatus({ storedAs, custom, strategy }: Resource, object: KubeObject, old: KubeObject): void {
  for (const field of Object.keys(object)) {
    if (field !== "status" && field !== "metadata" && !(field in old)) delete object[field];
  }
  for (const field of Object.keys(old)) {
    if (field !== "status" && field !== "metadata") object[field] = old[field];
  }
  // The only built-in kind whose labels a status update does not touch (pkg/registry/apps/deployment/strategy.go).
  if (storedAs === "deployments.apps") keep(object.metadata, old.metadata, "labels");
  if (custom) {
    const { managedFields } = object.metadata;
    object.metadata = { ...old.metadata, ...(managedFields ? { managedFields } : {}) };
  }
  strategy.prepareForStatusUpdate?.(object, old);
}

/** Anything but metadata and status counts as what is asked for. */
function isAskedDifferently(object: KubeObject, old: KubeObject): boolean {
  const fields = new Set([...Object.keys(object), ...Object.keys(old)]);
  for (const field of ["metadata", "status", "kind", "apiVersion"]) fields.delete(field);
  return [...fields].some((field) => !deepEqual(object[field], old[field]));
}

function validate(call: Call, object: KubeObject, old: KubeObject): void {
  const { info, strategy } = call.resource;
  const faults = validateObjectMetaUpdate(object, old);
  // The generic store and the strategies of built-in kinds both look at the metadata, and both tell.
  if (!call.resource.custom) faults.push(...faults);
  if (call.subresource === "status") faults.push(...(strategy.validateStatusUpdate?.(object, old) ?? []));
  else {
    faults.push(...(strategy.validate?.(object, old) ?? []), ...(strategy.validateUpdate?.(object, old) ?? []));
    for (const warning of strategy.warnings?.(object) ?? []) call.warn(warning);
  }
  if (faults.length > 0) throw invalid(info.group, info.kind, object.metadata.name ?? "", faults);
}

/** The object is marked as going away, for those who hold it back by a finalizer or need time. */
export function markDeleted(object: KubeObject, now: number, graceSeconds: number): KubeObject {
  const { generation = 0, deletionTimestamp } = object.metadata;
  const counted = generation > 0 && !deletionTimestamp ? { generation: generation + 1 } : {};
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...counted,
      deletionTimestamp: timestamp(now + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}
