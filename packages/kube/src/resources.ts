import type { StructuralSchema } from "./apply/custom-type.ts";
import table from "./generated/resources.json" with { type: "json" };

export interface SubresourceInfo {
  /** `status`, `scale`, `log`. */
  readonly name: string;
  /** Kind of what it takes and returns, where it is one. */
  readonly kind?: string;
  /** Of that kind, where they are not those of the resource. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** One resource of the API, as discovery tells of it. */
export interface ResourceInfo {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural name, as in paths: `deployments`. */
  readonly resource: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceInfo[];
  /** Of a kind that a CustomResourceDefinition defines. */
  readonly custom?: { readonly listKind: string; readonly schema: StructuralSchema };
}

/** What a stock API server serves, and metrics.k8s.io; in its order of groups. Written by tools/generate-schema.ts. */
export const builtInResources: readonly ResourceInfo[] = table;

/** `v1`, `apps/v1`. */
export function apiVersionOf(info: { readonly group: string; readonly version: string }): string {
  return info.group === "" ? info.version : `${info.group}/${info.version}`;
}

/** `pods`, `deployments.apps`: how messages, admission and storage name a resource. */
export function groupResource(info: { readonly group: string; readonly resource: string }): string {
  return info.group === "" ? info.resource : `${info.resource}.${info.group}`;
}

/** `apps/v1` → group and version; `v1` is the core group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1) };
}

const byKind = new Map<string, ResourceInfo>();
const byName = new Map<string, ResourceInfo>();
for (const info of builtInResources) {
  const key = `${apiVersionOf(info)} ${info.kind}`;
  if (!byKind.has(key)) byKind.set(key, info);
  byName.set(`${apiVersionOf(info)} ${info.resource}`, info);
}

/** The built-in resource that holds objects of a kind; undefined for list kinds, kinds of subresources and custom ones. */
export function resourceByKind(apiVersion: string, kind: string): ResourceInfo | undefined {
  return byKind.get(`${apiVersion} ${kind}`);
}

/** The built-in resource of a path, such as (`apps`, `v1`, `deployments`). */
export function resourceByName(group: string, version: string, resource: string): ResourceInfo | undefined {
  return byName.get(`${apiVersionOf({ group, version })} ${resource}`);
}
