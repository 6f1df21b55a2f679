import { apiVersionOf, builtInResources, type KubeObject, resourceByKind, type ResourceInfo } from "@dhow/kube";
import * as fc from "fast-check";
import { cases } from "../kinds/cases.ts";
import { clusterSamples, namespacedSamples } from "../tables/samples.ts";
import { damages, mutated, mutations } from "./mutations.ts";
import { headers, queries, segments, texts, values } from "./values.ts";

/** A request of the fuzzer's; `prepare` is an object that is there before it. */
export interface FuzzCase {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  readonly prepare?: { readonly collection: string; readonly object: KubeObject } | undefined;
}

export const namespace = "fuzz";

/** Where objects of a kind are. */
export function collectionOf(info: ResourceInfo): string {
  const root = info.group === "" ? "/api/v1" : `/apis/${apiVersionOf(info)}`;
  return `${root}${info.namespaced ? `/namespaces/${namespace}` : ""}/${info.resource}`;
}

interface Base {
  readonly info: ResourceInfo;
  readonly object: KubeObject;
}

/** Objects of every kind that can be created: those that other tests describe, and for all other kinds one with nothing but a name. */
const known: readonly Base[] = [...namespacedSamples, ...clusterSamples, ...cases].flatMap(({ object }) => {
  const info = resourceByKind(object.apiVersion, object.kind);
  return info?.verbs.includes("create") ? [{ info, object }] : [];
});
const seen = new Set(known.map(({ info }) => info));
const bases: readonly Base[] = [
  ...known,
  ...builtInResources
    .filter((info) => info.verbs.includes("create") && !seen.has(info))
    .map((info) => ({ info, object: { apiVersion: apiVersionOf(info), kind: info.kind, metadata: { name: "x" } } })),
];
/** As many of one kind as of another. */
const byKind = Object.values(Object.groupBy(bases, ({ info }) => `${apiVersionOf(info)} ${info.resource}`));
const someBase = fc.constantFrom(...byKind).chain((same = []) => fc.constantFrom(...same));

const patchTypes = ["json-patch", "merge-patch", "strategic-merge-patch"] as const;
const otherTypes = [
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "text/plain",
  "application/json; charset=x; =",
  "constructor",
  "application/cbor",
];
const bodyTypes = fc.oneof(
  { weight: 8, arbitrary: fc.constant("application/json") },
  { weight: 2, arbitrary: fc.constantFrom(...otherTypes) },
);

const actions = [
  "create",
  "create",
  "create",
  "update",
  "update",
  "patch",
  "patch",
  "patch",
  "apply",
  "get",
  "list",
  "delete",
  "deletecollection",
  "subresource",
  "subresource",
  "nowhere",
] as const;

const operations = fc.array(
  fc.record(
    {
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "bogus"),
      path: fc
        .array(
          fc.oneof(
            fc.constantFrom("metadata", "spec", "labels", "data", "0", "-", "-1", "name", "kind"),
            fc.constantFrom<string>(...texts),
          ),
          { maxLength: 4 },
        )
        .map((parts) => parts.map((part) => `/${part}`).join("")),
      from: fc.constantFrom("/metadata", "/spec", "/metadata/labels", "/__proto__", ""),
      value: values,
    },
    { requiredKeys: ["op"] },
  ),
  { maxLength: 4 },
);

const ingredients = fc.record({
  base: someBase,
  number: fc.nat(1_000_000),
  action: fc.constantFrom(...actions),
  changes: mutations,
  damage: damages,
  type: bodyTypes,
  patchType: fc.constantFrom(...patchTypes),
  operations,
  query: fc.oneof({ weight: 2, arbitrary: fc.constant("") }, { weight: 1, arbitrary: queries }),
  headers: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: headers }),
  segment: fc.option(segments, { freq: 8 }),
  extra: segments,
  subresource: fc.constantFrom(
    "status",
    "scale",
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy/x",
    "eviction",
    "binding",
    "token",
    "ephemeralcontainers",
    "resize",
    "finalize",
    "approval",
    "__proto__",
  ),
  method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
});

/** A name of its own for what may have any; others have names that say what they hold. */
function nameOf({ info, object }: Base, number: number): string {
  const { name = "x" } = object.metadata;
  if (/^(?:customresourcedefinitions|apiservices|ipaddresses|csinodes)$/.test(info.resource)) return name;
  return number % 2 === 0 ? `f${number}` : name;
}

/** Requests of every kind and verb with something wrong in them, and some with nothing wrong. */
export const fuzzCases: fc.Arbitrary<FuzzCase> = ingredients.map((chosen): FuzzCase => {
  const { action, base, changes, damage, query, subresource, type } = chosen;
  const object = { ...base.object, metadata: { ...base.object.metadata, name: nameOf(base, chosen.number) } };
  const collection = collectionOf(base.info);
  const name = chosen.segment ?? encodeURIComponent(object.metadata.name);
  const changed = changes.reduce<unknown>(mutated, object);
  const bytes = damage(JSON.stringify(changed));
  const make = (method: string, path: string, more: Partial<FuzzCase> = {}): FuzzCase => ({
    method,
    path: query === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`,
    headers: [...chosen.headers, ...(more.body && more.headers === undefined ? [["Content-Type", type] as const] : [])],
    prepare: { collection, object },
    ...more,
    ...(more.headers ? { headers: [...chosen.headers, ...more.headers] } : {}),
  });
  switch (action) {
    case "create":
      return make("POST", collection, { body: bytes, prepare: undefined });
    case "update":
      return make("PUT", `${collection}/${name}`, { body: bytes });
    case "patch": {
      const body = chosen.patchType === "json-patch" ? damage(JSON.stringify(chosen.operations)) : bytes;
      return make("PATCH", `${collection}/${name}`, {
        body,
        headers: [["Content-Type", `application/${chosen.patchType}+json`]],
      });
    }
    case "apply":
      return make("PATCH", `${collection}/${name}?fieldManager=fuzz&force=true`, {
        body: bytes,
        headers: [["Content-Type", "application/apply-patch+yaml"]],
      });
    case "get":
      return make("GET", `${collection}/${name}`);
    case "list":
      return make("GET", collection);
    case "delete":
      return make("DELETE", `${collection}/${name}`, chosen.segment === null ? {} : { body: bytes });
    case "deletecollection":
      return make("DELETE", `${collection}?labelSelector=fuzz`);
    case "subresource":
      return make(
        chosen.method,
        `${collection}/${name}/${subresource}`,
        chosen.method === "GET" || chosen.method === "HEAD" ? {} : { body: bytes },
      );
    default:
      return make(
        chosen.method,
        `${collection.replace("fuzz", chosen.extra)}/${chosen.extra}`,
        chosen.method === "POST" ? { body: bytes } : {},
      );
  }
});

/** The same cases for the same seed. */
export function casesOf(seed: number, count: number): FuzzCase[] {
  return fc.sample(fuzzCases, { seed, numRuns: count });
}
