import { deepEqual, type FieldFault, fieldFault, type KubeObject, type LabelSelector } from "@dhow/kube";
import { checkLabel1123, checkLabelValue, checkQualifiedName, type NameRule, subdomainName } from "./names.ts";

const { forbidden, invalid, notSupported, required, tooLong } = fieldFault;

/** All annotations of one object together, keys and values (apimachinery/pkg/api/validation/objectmeta.go). */
const annotationsLimit = 256 * 1024;

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

export interface MetadataRules {
  readonly namespaced: boolean;
  /** Default: a DNS subdomain. */
  readonly nameRule?: NameRule | undefined;
}

/** What every object's metadata must be when it is created; names are generated already. */
export function validateObjectMeta(object: KubeObject, rules: MetadataRules): FieldFault[] {
  return [...metadataFaults(object, rules)];
}

function* metadataFaults(object: KubeObject, rules: MetadataRules): Generator<FieldFault> {
  const { metadata } = object;
  const nameRule = rules.nameRule ?? subdomainName;
  const { generateName, name, namespace } = metadata;
  if (generateName) {
    for (const message of nameRule(generateName, true)) yield invalid("metadata.generateName", generateName, message);
  }
  if (!name) yield required("metadata.name", "name or generateName is required");
  else for (const message of nameRule(name, false)) yield invalid("metadata.name", name, message);
  if (rules.namespaced) {
    if (!namespace) yield required("metadata.namespace");
    else for (const message of checkLabel1123(namespace)) yield invalid("metadata.namespace", namespace, message);
  } else if (namespace) {
    yield forbidden("metadata.namespace", "not allowed on this type");
  }
  if ((metadata.generation ?? 0) < 0) {
    yield invalid("metadata.generation", metadata.generation, "must be greater than or equal to 0");
  }
  yield* commonFaults(object);
}

function* commonFaults({ metadata }: KubeObject): Generator<FieldFault> {
  const { annotations, finalizers, labels, managedFields, ownerReferences } = metadata;
  if (labels) yield* labelFaults(labels, "metadata.labels");
  if (annotations) yield* annotationFaults(annotations, "metadata.annotations");
  if (ownerReferences) yield* ownerFaults(ownerReferences);
  if (finalizers) yield* finalizerFaults(finalizers);
  if (managedFields) yield* managedFieldsFaults(managedFields);
}

/** What may not change, and what must still hold, when an object is written again. Compares with the stored one. */
export function validateObjectMetaUpdate(object: KubeObject, old: KubeObject): FieldFault[] {
  return [...metadataUpdateFaults(object, old)];
}

const immutableMetadata = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

function* metadataUpdateFaults(object: KubeObject, old: KubeObject): Generator<FieldFault> {
  const { metadata } = object;
  if (old.metadata.deletionTimestamp) {
    const known = new Set(old.metadata.finalizers);
    const added = [...new Set(metadata.finalizers ?? [])].filter((finalizer) => !known.has(finalizer)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => JSON.stringify(name)).join(", ")}}`;
      yield forbidden(
        "metadata.finalizers",
        `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
      );
    }
  }
  if (!metadata.resourceVersion) {
    yield invalid("metadata.resourceVersion", metadata.resourceVersion ?? "", "must be specified for an update");
  }
  if ((metadata.generation ?? 0) < (old.metadata.generation ?? 0)) {
    yield invalid("metadata.generation", metadata.generation ?? 0, "must not be decremented");
  }
  for (const field of immutableMetadata) {
    if (deepEqual(metadata[field], old.metadata[field])) continue;
    yield invalid(`metadata.${field}`, metadata[field] ?? null, "field is immutable");
  }
  yield* commonFaults(object);
}

export function* labelFaults(labels: Readonly<Record<string, string>> | undefined, at: string): Generator<FieldFault> {
  for (const [key, value] of sorted(labels ?? {})) {
    for (const message of checkQualifiedName(key)) yield invalid(at, key, message);
    for (const message of checkLabelValue(value)) yield invalid(at, value, message);
  }
}

export function* annotationFaults(annotations: Readonly<Record<string, string>>, at: string): Generator<FieldFault> {
  let size = 0;
  for (const [key, value] of sorted(annotations)) {
    for (const message of checkQualifiedName(key.toLowerCase())) yield invalid(at, key, message);
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationsLimit) yield tooLong(at, annotationsLimit);
}

type Metadata = KubeObject["metadata"];

function* ownerFaults(ownerReferences: NonNullable<Metadata["ownerReferences"]>): Generator<FieldFault> {
  const at = "metadata.ownerReferences";
  let controller: string | undefined;
  for (const owner of ownerReferences) {
    const version = owner.apiVersion?.split("/").at(-1) ?? "";
    if (!version) yield invalid(`${at}.apiVersion`, owner.apiVersion ?? "", "version must not be empty");
    if (!owner.kind) yield invalid(`${at}.kind`, owner.kind ?? "", "must not be empty");
    if (!owner.name) yield invalid(`${at}.name`, owner.name ?? "", "must not be empty");
    if (!owner.uid) yield invalid(`${at}.uid`, owner.uid ?? "", "must not be empty");
    if (owner.apiVersion === "v1" && owner.kind === "Event") {
      yield invalid(at, owner, "/v1, Kind=Event is disallowed from being an owner");
    }
    if (!owner.controller) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (controller !== undefined) {
      const both = `Found "true" in references for ${controller} and ${name}`;
      yield invalid(at, ownerReferences, `Only one reference can have Controller set to true. ${both}`);
    } else controller = name;
  }
}

function* finalizerFaults(finalizers: readonly string[]): Generator<FieldFault> {
  const at = "metadata.finalizers";
  for (const finalizer of finalizers) {
    for (const message of checkQualifiedName(finalizer)) yield invalid(at, finalizer, message);
  }
  // Of the built-in kinds only (validateKubeFinalizerName in pkg/apis/core/validation/validation.go).
  for (const [index, finalizer] of finalizers.entries()) {
    if (finalizer.includes("/") || standardFinalizers.includes(finalizer)) continue;
    yield invalid(`${at}[${index}]`, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    yield invalid(at, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

function* managedFieldsFaults(managedFields: NonNullable<Metadata["managedFields"]>): Generator<FieldFault> {
  for (const [index, entry] of managedFields.entries()) {
    const at = `metadata.managedFields[${index}]`;
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      yield invalid(`${at}.operation`, entry.operation ?? "", "must be `Apply` or `Update`");
    }
    if (entry.fieldsType && entry.fieldsType !== "FieldsV1") {
      yield invalid(`${at}.fieldsType`, entry.fieldsType, "must be `FieldsV1`");
    }
    if ((entry.manager ?? "").length > 128) yield tooLong(`${at}.manager`, 128);
    if ((entry.subresource ?? "").length > 256) yield tooLong(`${at}.subresource`, 256);
  }
}

/** A LabelSelector as users write it (apimachinery/pkg/apis/meta/v1/validation). */
export function* selectorFaults(selector: LabelSelector | undefined, at: string): Generator<FieldFault> {
  yield* labelFaults(selector?.matchLabels, `${at}.matchLabels`);
  for (const [index, requirement] of (selector?.matchExpressions ?? []).entries()) {
    const place = `${at}.matchExpressions[${index}]`;
    const values = requirement.values ?? [];
    switch (requirement.operator) {
      case "In":
      case "NotIn":
        if (values.length === 0) {
          yield required(`${place}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length > 0) {
          yield forbidden(`${place}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        break;
      default:
        yield invalid(`${place}.operator`, requirement.operator ?? "", "not a valid selector operator");
    }
    for (const message of checkQualifiedName(requirement.key ?? "")) {
      yield invalid(`${place}.key`, requirement.key ?? "", message);
    }
    for (const [valueIndex, value] of values.entries()) {
      for (const message of checkLabelValue(value)) yield invalid(`${place}.values[${valueIndex}]`, value, message);
    }
  }
}

export function selectsNothingInParticular(selector: LabelSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;
}

/** `spec.x: Unsupported value` unless the value is one of those given; an absent one is missing. */
export function* oneOf(value: string | undefined, supported: readonly string[], at: string): Generator<FieldFault> {
  if (!value) yield required(at);
  else if (!supported.includes(value)) yield notSupported(at, value, supported);
}

export function* immutable(value: unknown, old: unknown, at: string): Generator<FieldFault> {
  if (!deepEqual(value, old)) yield invalid(at, value ?? null, "field is immutable");
}

export function* nonNegative(value: number | undefined, at: string): Generator<FieldFault> {
  if ((value ?? 0) < 0) yield invalid(at, value, "must be greater than or equal to 0");
}

/** Go ranges over maps in any order; a stable one makes answers repeatable. */
export function sorted<V>(map: Readonly<Record<string, V>>): [string, V][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
