import { randomSuffix, uid } from "@dhow/base";
import {
  alreadyExists,
  badRequest,
  clone,
  generateNameConflict,
  invalid,
  type KubeObject,
  methodNotAllowed,
  timestamp,
} from "@dhow/kube";
import { WriteConflict } from "../storage/storage.ts";
import type { StoredObject } from "../storage/resource-table.ts";
import { validateObjectMeta } from "../validation/metadata.ts";
import type { Call } from "./call.ts";
import { dropDuplicateOwners } from "./fields.ts";
import { countsGenerations, emptyOf, takesStatusAtCreation } from "./write-rules.ts";
import { trackManager } from "./managed.ts";
import { admit, attributesOf, type ObjectAnswer, type Registry, validateAdmission } from "./registry.ts";
import { hasSubresource, keyOf, served, servedText } from "./resource.ts";
import { plainFailure } from "./revision.ts";
import type { WriteOptions } from "./options.ts";

const nameTries = 8;

/** @param decoded owned by the callee; in the served version, with the request's defaults not filled in yet. */
export async function createObject(
  registry: Registry,
  call: Call,
  decoded: KubeObject,
  options: WriteOptions,
  alreadyTracked = false,
): Promise<ObjectAnswer> {
  const { resource } = call;
  checkNamespace(call, decoded);
  const object = resource.conversion ? resource.conversion.toStored(decoded) : decoded;
  const metadata = object.metadata;
  if (metadata.resourceVersion) throw plainFailure("resourceVersion should not be set on objects to be created");
  resource.strategy.applyDefaults?.(object);
  const generated = fillSystemFields(registry, call, object);
  if (!alreadyTracked) trackManager(call, registry.clock, object, undefined, options.fieldManager);
  const attributes = attributesOf(call, "CREATE", {
    dryRun: options.dryRun,
    object,
    old: undefined,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    name: metadata.name ?? "",
  });
  await admit(registry, attributes);
  resource.strategy.applyDefaults?.(object);
  dropDuplicateOwners(object, (message) => call.warn(message));
  prepare(registry, call, object);
  validateNew(call, object);
  await validateAdmission(registry, attributes);
  if (options.dryRun) return dryRun(registry, call, object);
  const stored = await insert(registry, call, object, generated);
  return { status: 201, object: served(resource, stored), text: servedText(resource, stored) };
}

function checkNamespace({ resource, namespace }: Call, { metadata }: KubeObject): void {
  if (!resource.info.namespaced) {
    if (metadata.namespace) {
      throw badRequest("namespace may not be set on this type: the resource is cluster-scoped");
    }
    return;
  }
  if (namespace === undefined) throw methodNotAllowed(resource.name, "create");
  metadata.namespace ||= namespace;
  if (metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/**
 * What only the server sets (apiserver/pkg/registry/rest/meta.go); the order of fields is that of Go's ObjectMeta. Gives whether
 * the name was generated.
 */
function fillSystemFields({ clock }: Registry, { resource }: Call, object: KubeObject): boolean {
  const { name, generateName, namespace, ...rest } = object.metadata;
  for (const field of ["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"] as const) {
    delete rest[field];
  }
  const finalName = name || (generateName ? generatedName(generateName) : "");
  object.metadata = {
    ...(finalName ? { name: finalName } : {}),
    ...(generateName ? { generateName } : {}),
    ...(resource.info.namespaced ? { namespace } : {}),
    ...rest,
    uid: uid(),
    creationTimestamp: timestamp(clock.now()),
  };
  return !name && Boolean(generateName);
}

/** apiserver/pkg/storage/names/generate.go: 63 characters in all, five of them random. */
function generatedName(base: string): string {
  return `${base.slice(0, 58)}${randomSuffix(5)}`;
}

function prepare(registry: Registry, { resource }: Call, object: KubeObject): void {
  const { strategy } = resource;
  if (hasSubresource(resource, "status") && !takesStatusAtCreation(resource)) {
    const { status } = emptyOf(resource);
    if (status === undefined) delete object["status"];
    else object["status"] = clone(status);
  }
  if (countsGenerations(resource)) object.metadata.generation = 1;
  strategy.prepareForCreate?.(object, registry.store);
}

function validateNew(call: Call, object: KubeObject): void {
  const { info, strategy } = call.resource;
  const faults = [
    ...validateObjectMeta(object, { namespaced: info.namespaced, nameRule: strategy.nameRule }),
    ...(strategy.validate?.(object) ?? []),
  ];
  if (faults.length > 0) throw invalid(info.group, info.kind, object.metadata.name ?? "", faults);
  for (const warning of strategy.warnings?.(object) ?? []) call.warn(warning);
}

function dryRun({ storage }: Registry, { resource }: Call, object: KubeObject): ObjectAnswer {
  const { name = "", namespace } = object.metadata;
  if (storage.get(resource.storedAs, keyOf(resource, namespace, name))) throw alreadyExists(resource.name, name);
  return { status: 201, object: resource.conversion ? resource.conversion.fromStored(object) : object };
}

async function insert(
  { storage }: Registry,
  { resource }: Call,
  object: KubeObject,
  generated: boolean,
): Promise<StoredObject> {
  const { generateName, namespace } = object.metadata;
  for (let attempt = 1; ; attempt++) {
    const name = object.metadata.name ?? "";
    try {
      return await storage.put(resource.storedAs, keyOf(resource, namespace, name), object, 0);
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      if (!generated) throw alreadyExists(resource.name, name);
      if (attempt >= nameTries) throw generateNameConflict(resource.name, name, 1);
      object.metadata = { ...object.metadata, name: generatedName(generateName ?? "") };
    }
  }
}
