import { type FieldFault, fieldFault, type KubeObject, timestamp } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { checkLabel1035, checkSubdomain } from "../validation/names.ts";
import { parseJsonPath } from "./json-path.ts";
import { withCondition } from "./names.ts";
import type { DefinitionNames, DefinitionSpec, DefinitionVersion, Schema } from "./schema.ts";
import { structuralFaults } from "./structural.ts";

// apiextensions-apiserver/pkg/apis/apiextensions/{v1/defaults.go,validation/validation.go}, pkg/registry/customresourcedefinition/strategy.go

/** A CustomResourceDefinition. */
export interface Definition extends KubeObject {
  spec: DefinitionSpec;
  status?: DefinitionStatus;
}

export interface DefinitionStatus {
  readonly conditions: readonly DefinitionCondition[] | null;
  readonly acceptedNames: DefinitionNames;
  readonly storedVersions: readonly string[] | null;
}

export interface DefinitionCondition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** What definitions are stored under. */
export const definitionsResource = "customresourcedefinitions.apiextensions.k8s.io";
/** Holds a definition back until its objects are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

const { forbidden, invalid, notSupported, required } = fieldFault;

/** What is particular about writing a CustomResourceDefinition. */
export const customResourceDefinitions: Strategy = {
  applyDefaults(object) {
    const { spec } = object as Definition;
    if (!spec) return;
    const names = spec.names as { -readonly [Name in keyof DefinitionNames]: DefinitionNames[Name] } | undefined;
    if (names) {
      names.singular ||= (names.kind ?? "").toLowerCase();
      if (names.kind) names.listKind ||= `${names.kind}List`;
    }
    (spec as { conversion?: unknown }).conversion ??= { strategy: "None" };
  },
  prepareForCreate(object) {
    const stored = (object as Partial<Definition>).spec?.versions?.find(({ storage }) => storage)?.name;
    (object as Definition).status = {
      conditions: null,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: stored === undefined ? null : [stored],
    };
  },
  prepareForUpdate(object, old) {
    const { spec, status } = object as Definition;
    const stored = spec.versions?.find(({ storage }) => storage)?.name;
    const before = status?.storedVersions ?? (old as Definition).status?.storedVersions ?? [];
    if (!status || stored === undefined || before.includes(stored)) return;
    (object as Definition).status = { ...status, storedVersions: [...before, stored] };
  },
  beforeDelete(object, now) {
    const { metadata, status } = object as Definition;
    const { deletionTimestamp, finalizers = [] } = metadata;
    if (deletionTimestamp || !status) return object;
    const terminating = {
      type: "Terminating",
      status: "True",
      reason: "InstanceDeletionPending",
      message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    } as const;
    const conditions = withCondition(status.conditions, terminating, timestamp(now));
    return {
      ...object,
      // Going away is no change that its generation counts.
      metadata: {
        ...metadata,
        deletionTimestamp: timestamp(now),
        finalizers: [...new Set([...finalizers, cleanupFinalizer])],
      },
      status: { ...status, conditions },
    };
  },
  validate: (object) => [...definitionFaults(object as Definition)],
};

function* definitionFaults({ metadata, spec, status }: Definition): Generator<FieldFault> {
  const { group = "", names, scope, versions } = (spec ?? {}) as Partial<DefinitionSpec>;
  const name = metadata.name ?? "";
  if (!checkSubdomain(name).length && name !== `${names?.plural ?? ""}.${group}`) {
    yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group');
  }
  yield* groupFaults(group);
  yield* approvalFaults(group, metadata.annotations ?? {});
  if (!scope) yield required("spec.scope");
  else if (scope !== "Cluster" && scope !== "Namespaced")
    yield notSupported("spec.scope", scope, ["Cluster", "Namespaced"]);
  yield* versionsFaults(versions ?? []);
  yield* storedFaults(versions ?? [], status?.storedVersions ?? null);
  yield* namesFaults(names);
  yield* conversionFaults(spec);
}

function* groupFaults(group: string): Generator<FieldFault> {
  if (group === "") yield required("spec.group");
  else if (checkSubdomain(group).length > 0) yield invalid("spec.group", group, checkSubdomain(group).join(","));
  else if (!group.includes(".")) yield invalid("spec.group", group, "should be a domain with at least one dot");
}

/** Groups of Kubernetes itself take what its reviewers let in. */
function* approvalFaults(group: string, annotations: Readonly<Record<string, string>>): Generator<FieldFault> {
  const name = "api-approved.kubernetes.io";
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group) || annotations[name]) return;
  const advice = `protected groups must have approval annotation "${name}", see https://github.com/kubernetes/enhancements/pull/1111`;
  yield required(`metadata.annotations[${name}]`, advice);
}

/** The versions as the server's messages show them: as Go's internal form would be written. */
function shownVersions(versions: readonly DefinitionVersion[]): object[] {
  return versions.map(({ name, served, storage, deprecated = false, deprecationWarning = null }) => ({
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: deprecated,
    DeprecationWarning: deprecationWarning,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }));
}

function* versionsFaults(versions: readonly DefinitionVersion[]): Generator<FieldFault> {
  // With one version, what it says counts as said of all, and faults are told at the top.
  const alone = versions.length === 1;
  for (const [at, version] of versions.entries()) {
    const path = `spec.versions[${at}]`;
    const faults = checkLabel1035(version.name).join(",");
    if (faults) {
      yield invalid(`${path}.name`, version.name, faults);
      if (alone) yield invalid("spec.version", version.name, faults);
    }
    if (!version.schema?.openAPIV3Schema) yield required(`${path}.schema.openAPIV3Schema`);
    yield* versionFaults(
      version,
      alone ? "spec" : path,
      alone ? "spec.validation.openAPIV3Schema" : `${path}.schema.openAPIV3Schema`,
    );
  }
  const unique = new Set(versions.map(({ name }) => name)).size === versions.length;
  if (!unique) yield invalid("spec.versions", shownVersions(versions), "must contain unique version names");
}

function* versionFaults(version: DefinitionVersion, path: string, schemaPath: string): Generator<FieldFault> {
  const schema = version.schema?.openAPIV3Schema;
  if (schema) yield* structuralFaults(schema, schemaPath);
  for (const [at, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const place = `${path}.additionalPrinterColumns[${at}]`;
    if (!column.name) yield required(`${place}.name`);
    if (!column.type) yield required(`${place}.type`, `must be one of ${columnTypes}`);
    else if (!columnTypes.split(",").includes(column.type)) {
      yield invalid(`${place}.type`, column.type, `must be one of ${columnTypes}`);
    }
    if (!column.jsonPath) yield required(`${place}.JSONPath`);
    else if (!parseJsonPath(column.jsonPath))
      yield invalid(`${place}.JSONPath`, column.jsonPath, "must be a valid JSON path");
  }
  const { scale } = version.subresources ?? {};
  if (scale) {
    for (const field of ["specReplicasPath", "statusReplicasPath"] as const) {
      const root = field === "specReplicasPath" ? ".spec" : ".status";
      if (!scale[field]) yield required(`${path}.subresources.scale.${field}`);
      else if (!scale[field].startsWith(`${root}.`)) {
        yield invalid(`${path}.subresources.scale.${field}`, scale[field], `should be a json path under ${root}`);
      }
    }
  }
  for (const [at, { jsonPath }] of (version.selectableFields ?? []).entries()) {
    const place = `${path}.selectableFields[${at}].jsonPath`;
    if (!jsonPath) yield required(place);
    else if (schema && !selectable(schema, jsonPath)) {
      yield invalid(place, jsonPath, "is an invalid path: does not refer to a valid field");
    }
  }
}

const columnTypes = "boolean,date,integer,number,string";

/** Whether a simple path leads to a field of the schema. */
function selectable(schema: Schema, path: string): boolean {
  let at: Schema | undefined = schema;
  for (const part of path.split(".").slice(1)) at = at?.properties?.[part];
  return at !== undefined && ["string", "integer", "boolean"].includes(at.type ?? "");
}

function* storedFaults(
  versions: readonly DefinitionVersion[],
  stored: readonly string[] | null,
): Generator<FieldFault> {
  const storage = versions.filter((version) => version.storage);
  const one = "must have exactly one version marked as storage version";
  if (storage.length !== 1) yield invalid("spec.versions", shownVersions(versions), one);
  if (!stored?.length) {
    yield invalid("status.storedVersions", stored, "must have at least one stored version");
    return;
  }
  const last = storage.at(-1)?.name;
  if (last !== undefined && !stored.includes(last)) {
    yield invalid("status.storedVersions", stored, `must have the storage version ${last}`);
  }
  for (const [at, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    yield invalid(`status.storedVersions[${at}]`, name, "missing from spec.versions; " + removalAdvice(name));
  }
}

function removalAdvice(name: string): string {
  return `${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
}

function* namesFaults(names: DefinitionNames | undefined): Generator<FieldFault> {
  const { kind = "", listKind = "", plural = "", shortNames = [], singular = "" } = names ?? {};
  const mixed = "may have mixed case, but should otherwise match: ";
  const check = function* (field: string, value: string, prefix = ""): Generator<FieldFault> {
    const faults = checkLabel1035(prefix === "" ? value : value.toLowerCase()).join(",");
    if (faults) yield invalid(`spec.names.${field}`, value, prefix + faults);
  };
  if (plural === "") yield required("spec.names.plural");
  else yield* check("plural", plural);
  yield* check("singular", singular);
  if (kind === "") yield required("spec.names.kind");
  else yield* check("kind", kind, mixed);
  for (const [at, name] of shortNames.entries()) yield* check(`shortNames[${at}]`, name);
  if (listKind !== "") yield* check("listKind", listKind, mixed);
  if (kind !== "" && kind === listKind) {
    yield invalid("spec.names.listKind", listKind, "kind and listKind may not be the same");
  }
}

function* conversionFaults(spec: DefinitionSpec | undefined): Generator<FieldFault> {
  const { strategy, webhook } = spec?.conversion ?? {};
  if (strategy === "Webhook" && !webhook) {
    yield required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook");
    yield required("spec.conversion.conversionReviewVersions");
  } else if (strategy !== undefined && strategy !== "None" && strategy !== "Webhook") {
    yield notSupported("spec.conversion.strategy", strategy, ["None", "Webhook"]);
  }
  if (spec?.preserveUnknownFields) {
    yield invalid(
      "spec.preserveUnknownFields",
      true,
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
    );
  }
  if (strategy === "None" && webhook)
    yield forbidden("spec.conversion.webhookClientConfig", "should not be set when strategy is not set to Webhook");
}
