import { conflict, type KubeObject, notFound, timestamp } from "@dhow/kube";
import type { StoredObject } from "../storage/resource-table.ts";
import { WriteConflict } from "../storage/storage.ts";
import type { Call } from "./call.ts";
import type { DeleteOptions } from "./delete-options.ts";
import { attributesOf, admit, type ObjectAnswer, type Registry, validateAdmission } from "./registry.ts";
import { requestedKey, type Resource, served, servedText } from "./resource.ts";
import { markDeleted } from "./update.ts";
import { deletionGivesObject, orphansByDefault } from "./write-rules.ts";

const tries = 50;

export async function deleteObject(registry: Registry, call: Call, options: DeleteOptions): Promise<ObjectAnswer> {
  const { resource, namespace, name } = call;
  const key = requestedKey(resource, namespace, name);
  const found = registry.storage.get(resource.storedAs, key);
  if (!found) throw notFound(resource.name, name);
  const attributes = attributesOf(call, "DELETE", {
    dryRun: options.dryRun,
    object: undefined,
    old: found.object,
    options: options.given,
  });
  await admit(registry, attributes);
  await validateAdmission(registry, attributes);
  for (let attempt = 1; ; attempt++) {
    const current = registry.storage.get(resource.storedAs, key);
    if (!current) throw notFound(resource.name, name);
    checkPreconditions(call, options, current);
    try {
      return await carryOut(registry, call, options, current);
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      if (attempt >= tries) throw conflict(resource.name, name);
    }
  }
}

function checkPreconditions({ resource, name }: Call, options: DeleteOptions, { object }: StoredObject): void {
  const { uid, resourceVersion } = options.preconditions;
  const { metadata } = object;
  if (uid && uid !== metadata.uid) {
    throw conflict(
      kindAndGroup(resource),
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      kindAndGroup(resource),
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

function kindAndGroup({ info }: Resource): string {
  return info.group === "" ? info.kind : `${info.kind}.${info.group}`;
}

/** One try (apiserver/pkg/registry/generic/registry/store.go Delete, rest/delete.go BeforeDelete). */
async function carryOut(
  registry: Registry,
  call: Call,
  options: DeleteOptions,
  current: StoredObject,
): Promise<ObjectAnswer> {
  const { resource } = call;
  const next = nextState(registry, resource, options, current.object);
  if (options.dryRun) return next.gone ? goneAnswer(resource, current.object) : objectAnswer(resource, next.object);
  if (next.gone) {
    const last = await registry.storage.remove(resource.storedAs, current.key, current.revision, next.object);
    resource.strategy.afterDelete?.(last.object, registry.store);
    return goneAnswer(resource, last.object);
  }
  if (next.object === current.object) {
    return { status: 200, object: served(resource, current), text: servedText(resource, current) };
  }
  const stored = await registry.storage.put(resource.storedAs, current.key, next.object, current.revision);
  return { ...objectAnswer(resource, stored.object), status: options.orphanDependents === false ? 202 : 200 };
}

interface NextState {
  readonly gone: boolean;
  readonly object: KubeObject;
}

function nextState(registry: Registry, resource: Resource, options: DeleteOptions, stored: KubeObject): NextState {
  if (resource.storedAs === "namespaces") return nextNamespaceState(registry, options, stored);
  const now = registry.clock.now();
  const object = resource.strategy.beforeDelete?.(stored, now) ?? stored;
  const finalizers = finalizersFor(resource, options, object.metadata.finalizers ?? []);
  const grace = graceOf(resource, options, object);
  if (grace === "pending") return { gone: false, object };
  const held = finalizers.length > 0;
  if (grace === undefined) {
    if (!held) return { gone: true, object };
    return {
      gone: false,
      object: alreadyMarked(object)
        ? withFinalizers(object, finalizers)
        : withFinalizers(markDeleted(object, now, 0), finalizers),
    };
  }
  const marked = withFinalizers(shortened(object, now, grace), finalizers);
  return { gone: !held && grace === 0, object: marked };
}

function alreadyMarked({ metadata }: KubeObject): boolean {
  return Boolean(metadata.deletionTimestamp) && (metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** A second deletion may only shorten the time that the first one gave; it counts from the first. */
function shortened(object: KubeObject, now: number, grace: number): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  if (!deletionTimestamp) return markDeleted(object, now, grace);
  const asked = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return markDeleted(object, asked, grace);
}

/** Undefined: no grace at all. `pending`: the object is on its way, and not asked to go sooner. */
function graceOf(resource: Resource, options: DeleteOptions, object: KubeObject): number | undefined | "pending" {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  const { gracePeriod } = resource.strategy;
  if (!gracePeriod) return undefined;
  if (!deletionTimestamp) return gracePeriod(object, options.gracePeriodSeconds);
  if (deletionGracePeriodSeconds === undefined) return undefined;
  const wanted = options.gracePeriodSeconds;
  if (wanted !== undefined && wanted < deletionGracePeriodSeconds) return wanted;
  // A repeated deletion without grace finishes what a finalizer held back at first.
  return wanted === 0 && deletionGracePeriodSeconds === 0 ? 0 : "pending";
}

function withFinalizers(object: KubeObject, finalizers: readonly string[]): KubeObject {
  const { finalizers: _, ...rest } = object.metadata;
  const metadata = finalizers.length > 0 ? { ...rest, finalizers: [...finalizers] } : rest;
  return { ...object, metadata };
}

/** What the garbage collector has to do first (store.go shouldOrphanDependents, shouldDeleteDependents). */
function finalizersFor(resource: Resource, options: DeleteOptions, existing: readonly string[]): string[] {
  const rest = existing.filter((name) => name !== "orphan" && name !== "foregroundDeletion");
  const { propagationPolicy, orphanDependents } = options;
  if (orphanDependents === true || propagationPolicy === "Orphan") return [...rest, "orphan"];
  if (orphanDependents === false || propagationPolicy === "Background") return rest;
  if (propagationPolicy === "Foreground") return [...rest, "foregroundDeletion"];
  if (existing.includes("orphan") || existing.includes("foregroundDeletion")) return [...existing];
  return orphansByDefault(resource) ? [...rest, "orphan"] : rest;
}

/** A namespace first empties itself: its controller takes `spec.finalizers` away at the end (pkg/registry/core/namespace/storage/storage.go). */
function nextNamespaceState({ clock }: Registry, options: DeleteOptions, object: KubeObject): NextState {
  if (!object.metadata.deletionTimestamp) {
    const rest = (object.metadata.finalizers ?? []).filter((name) => name !== "orphan");
    const orphan = options.orphanDependents === true || options.propagationPolicy === "Orphan";
    const marked = {
      ...object,
      metadata: { ...object.metadata, deletionTimestamp: timestamp(clock.now()) },
      status: { ...(object["status"] as object | undefined), phase: "Terminating" },
    };
    return { gone: false, object: withFinalizers(marked, orphan ? [...rest, "orphan"] : rest) };
  }
  const spec = object["spec"] as { finalizers?: string[] } | undefined;
  const held = (spec?.finalizers ?? []).length > 0 || (object.metadata.finalizers ?? []).length > 0;
  return { gone: !held, object };
}

function objectAnswer(resource: Resource, object: KubeObject): ObjectAnswer {
  return { status: 200, object: resource.conversion ? resource.conversion.fromStored(object) : object };
}

function goneAnswer(resource: Resource, object: KubeObject): ObjectAnswer {
  if (deletionGivesObject(resource)) return objectAnswer(resource, object);
  const { info } = resource;
  const { name, uid } = object.metadata;
  const details = { name, ...(info.group ? { group: info.group } : {}), kind: info.resource, uid };
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  return { status: 200, object: status };
}
