import {
  apiVersionOf,
  badRequest,
  goJson,
  groupResource,
  type KubeObject,
  type MapType,
  quote,
  type ResourceInfo,
} from "@dhow/kube";
import type { ScalePaths } from "../custom/schema.ts";
import type { StoredObject } from "../storage/resource-table.ts";
import type { Strategy } from "../strategy.ts";
import type { TableDefinition } from "../tables/definition.ts";

/** Turns an object of one version into another version of the same kind; the input is frozen. */
export interface Conversion {
  readonly fromStored: (object: KubeObject) => KubeObject;
  readonly toStored: (object: KubeObject) => KubeObject;
}

/** One resource in one served version. */
export interface Resource {
  readonly info: ResourceInfo;
  readonly apiVersion: string;
  /** `pods`, `deployments.apps`: in messages. */
  readonly name: string;
  /** What its objects are stored under; the versions of a kind share it. */
  readonly storedAs: string;
  /** How the stored version becomes this one; undefined where it is this one. */
  readonly conversion: Conversion | undefined;
  readonly strategy: Strategy;
  /** What a CustomResourceDefinition says of the kind, where it comes from one. */
  readonly custom: CustomKind | undefined;
  /** Fields besides metadata.name and metadata.namespace that a field selector may name. */
  readonly selectableFields: Readonly<Record<string, (object: KubeObject) => string>>;
}

/** A kind that a CustomResourceDefinition defines. */
export interface CustomKind {
  /** For server-side apply. */
  readonly type: MapType;
  /** Drops what the schema does not name; gives the paths of what went. */
  readonly prune: (object: KubeObject) => string[];
  readonly table: TableDefinition;
  readonly scale: ScalePaths | undefined;
  /** Told with every answer about a version that is deprecated. */
  readonly warning?: string;
}

/** Drops what the schema of a custom kind does not name, and says so as strict decoding does. */
export function unknownFields(custom: CustomKind | undefined, object: KubeObject): string[] {
  return (custom?.prune(object) ?? []).map((path) => `unknown field "${path}"`);
}

export function makeResource(
  info: ResourceInfo,
  extra: Partial<Pick<Resource, "storedAs" | "conversion" | "strategy" | "custom" | "selectableFields">>,
): Resource {
  const name = groupResource(info);
  return {
    info,
    apiVersion: apiVersionOf(info),
    name,
    storedAs: extra.storedAs ?? name,
    conversion: extra.conversion,
    strategy: extra.strategy ?? {},
    custom: extra.custom,
    selectableFields: extra.selectableFields ?? {},
  };
}

export function hasSubresource(resource: Resource, name: string): boolean {
  return resource.info.subresources.some((subresource) => subresource.name === name);
}

/**
 * `keyOf` what a request names; throws where that can be nothing's name, whatever else it is, since names become parts of paths
 * (NamespaceKeyFunc in apiserver/pkg/registry/generic/registry/store.go, apimachinery/pkg/api/validation/path/name.go).
 */
export function requestedKey(resource: Resource, namespace: string | undefined, name: string): string {
  checkPathName(name);
  return keyOf(resource, namespace, name);
}

export function checkPathName(name: string): void {
  const why = name === "." || name === ".." ? `may not be '${name}'` : name.includes("%") ? "may not contain '%'" : "";
  if (why !== "") throw badRequest(`Name parameter invalid: ${quote(name)}: ${why}`);
}

/** `namespace/name`, or `name` where the resource has no namespaces. */
export function keyOf(resource: Resource, namespace: string | undefined, name: string): string {
  return resource.info.namespaced ? `${namespace ?? ""}/${name}` : name;
}

/** The object as this version of the resource shows it; frozen. */
export function served(resource: Resource, stored: StoredObject): KubeObject {
  return resource.conversion ? resource.conversion.fromStored(stored.object) : stored.object;
}

/** JSON of the object as this version of the resource shows it. */
export function servedText(resource: Resource, stored: StoredObject): string {
  return resource.conversion ? goJson(resource.conversion.fromStored(stored.object)) : stored.text;
}

/** JSON of the object as an item of a list, where typed objects do not repeat their kind. */
export function itemText(resource: Resource, stored: StoredObject): string {
  const text = servedText(resource, stored);
  if (resource.custom) return text;
  return `{${text.slice(`{"kind":"${resource.info.kind}","apiVersion":"${resource.apiVersion}",`.length)}`;
}
