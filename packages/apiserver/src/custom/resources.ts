import { customType, type KubeObject, type ResourceInfo } from "@dhow/kube";
import { type Conversion, makeResource, type Resource } from "../registry/resource.ts";
import { customTable } from "./columns.ts";
import type { Definition } from "./definition.ts";
import { parseJsonPath } from "./json-path.ts";
import { fillDefaults, prune } from "./prune.ts";
import type { DefinitionSpec, DefinitionVersion, Schema } from "./schema.ts";
import { customStrategy } from "./strategy.ts";

const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const partVerbs = ["get", "patch", "update"];
/** Where a version says nothing of its objects. */
const anything: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** `v1` before `v1beta2` before `v1alpha1`, what else there is by name after them (apimachinery/pkg/version/helpers.go). */
export function compareVersions(a: string, b: string): number {
  const rank = (name: string): readonly number[] | undefined => {
    const [, major, stage = "", minor = "0"] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(name) ?? [];
    return major === undefined ? undefined : [{ "": 2, beta: 1, alpha: 0 }[stage] ?? 0, Number(major), Number(minor)];
  };
  const [left, right] = [rank(a), rank(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : 1;
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : (right[at] ?? 0) - (left[at] ?? 0);
}

/** What a definition has served: a resource a version. */
export function resourcesOf({ spec, status }: Definition): Resource[] {
  const served = spec.versions.filter((version) => version.served).sort((a, b) => compareVersions(a.name, b.name));
  return served.map((version) => resourceOf(spec, status?.acceptedNames ?? spec.names, version));
}

function resourceOf(spec: DefinitionSpec, names: DefinitionSpec["names"], version: DefinitionVersion): Resource {
  const schema = version.schema?.openAPIV3Schema ?? anything;
  const info = infoOf(spec, names, version);
  const stored = spec.versions.find(({ storage }) => storage)?.name ?? version.name;
  return makeResource(info, {
    custom: {
      type: customType(schema),
      prune: (object) => prune(object, schema),
      table: customTable(version.additionalPrinterColumns),
      scale: version.subresources?.scale,
      ...(version.deprecated ? { warning: deprecation(info, version) } : {}),
    },
    conversion: conversionOf(`${spec.group}/${stored}`, `${spec.group}/${version.name}`, schema),
    strategy: customStrategy(schema, version.subresources),
    selectableFields: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.slice(1), fieldReader(jsonPath)]),
    ),
  });
}

function deprecation({ group, kind }: ResourceInfo, { name, deprecationWarning }: DefinitionVersion): string {
  return deprecationWarning ?? `${group}/${name} ${kind} is deprecated`;
}

function infoOf(spec: DefinitionSpec, names: DefinitionSpec["names"], version: DefinitionVersion): ResourceInfo {
  const { scale, status } = version.subresources ?? {};
  const scaleKind = { kind: "Scale", group: "autoscaling", version: "v1" };
  const listKind = names.listKind ?? `${names.kind}List`;
  return {
    group: spec.group,
    version: version.name,
    kind: names.kind,
    resource: names.plural,
    singular: names.singular ?? "",
    namespaced: spec.scope === "Namespaced",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs,
    subresources: [
      ...(status ? [{ name: "status", verbs: partVerbs }] : []),
      ...(scale ? [{ name: "scale", verbs: partVerbs, ...scaleKind }] : []),
    ],
    custom: { listKind, schema: version.schema?.openAPIV3Schema ?? anything },
  };
}

/**
 * Versions differ by their name only (`strategy: None`); what a schema says by now counts for what was stored before, too
 * (customresource_handler.go, schemaCoercingConverter and the unstructured defaulter of the decoder).
 */
function conversionOf(stored: string, served: string, schema: Schema): Conversion {
  const known = new WeakMap<KubeObject, KubeObject>();
  return {
    fromStored(object) {
      let shown = known.get(object);
      if (!shown) {
        shown = structuredClone({ ...object, apiVersion: served });
        prune(shown, schema);
        fillDefaults(shown, schema);
        known.set(object, shown);
      }
      return shown;
    },
    toStored: (object) => ({ ...object, apiVersion: stored }),
  };
}

function fieldReader(path: string): (object: KubeObject) => string {
  const read = parseJsonPath(path);
  return (object) => {
    const value = read?.(object)[0];
    return typeof value === "string" ? value : JSON.stringify(value ?? "").replace(/^""$/, "");
  };
}
