import { apiVersionOf } from "../resources.ts";
import type { ResourceInfo, SubresourceInfo } from "../resources.ts";
import { kindSchema } from "../schema/schema.ts";
import type { JsonSchema } from "./schemas.ts";

type ParameterType = "string" | "integer" | "boolean";
type Parameter = Record<string, unknown>;
export type PathItem = Record<string, unknown>;

/** What differs between the versions of OpenAPI in how an operation is written. */
export interface OperationWriter {
  reference(typeName: string): JsonSchema;
  /** A reference to a custom kind, or to its lists. */
  custom(info: ResourceInfo, list: boolean): JsonSchema;
  parameter(name: string, place: "query" | "path", type: ParameterType): Parameter;
  /** The part of an operation that says what is sent and what comes back. */
  bodies(request: readonly string[], body: JsonSchema | undefined, answers: Record<string, JsonSchema>): PathItem;
}

const listParameters: Record<string, ParameterType> = {
  allowWatchBookmarks: "boolean",
  continue: "string",
  fieldSelector: "string",
  labelSelector: "string",
  limit: "integer",
  resourceVersion: "string",
  resourceVersionMatch: "string",
  sendInitialEvents: "boolean",
  timeoutSeconds: "integer",
  watch: "boolean",
};
const writeParameters: Record<string, ParameterType> = {
  dryRun: "string",
  fieldManager: "string",
  fieldValidation: "string",
};
const deleteParameters: Record<string, ParameterType> = {
  dryRun: "string",
  gracePeriodSeconds: "integer",
  orphanDependents: "boolean",
  propagationPolicy: "string",
};
const patchTypes = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Verb {
  readonly method: string;
  readonly action: string;
  readonly named: boolean;
  readonly parameters: Record<string, ParameterType>;
  readonly answers: readonly string[];
}

/** Verbs of discovery as operations. Watch is a parameter of list. */
const verbs: Record<string, Verb> = {
  list: { method: "get", action: "list", named: false, parameters: listParameters, answers: ["200"] },
  create: {
    method: "post",
    action: "post",
    named: false,
    parameters: writeParameters,
    answers: ["200", "201", "202"],
  },
  deletecollection: {
    method: "delete",
    action: "deletecollection",
    named: false,
    parameters: { ...listParameters, ...deleteParameters },
    answers: ["200"],
  },
  get: { method: "get", action: "get", named: true, parameters: {}, answers: ["200"] },
  update: { method: "put", action: "put", named: true, parameters: writeParameters, answers: ["200", "201"] },
  delete: { method: "delete", action: "delete", named: true, parameters: deleteParameters, answers: ["200", "202"] },
  patch: {
    method: "patch",
    action: "patch",
    named: true,
    parameters: { ...writeParameters, force: "boolean" },
    answers: ["200", "201"],
  },
};

function camel(text: string): string {
  return text.replace(/(?:^|[.\-_/])(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** `rbac.authorization.k8s.io/v1` → `RbacAuthorizationV1`. */
function groupName({ group, version }: { group: string; version: string }): string {
  return camel(group === "" ? "core" : group.replace(/\.k8s\.io$/, "")) + camel(version);
}

const operationWords: Record<string, string> = { deletecollection: "delete", get: "read", update: "replace" };

function operationWord(verb: string): string {
  return operationWords[verb] ?? verb;
}

/** Writes the paths of resources, one operation a verb. */
export class PathWriter {
  readonly paths: Record<string, PathItem> = {};
  readonly #writer: OperationWriter;

  constructor(writer: OperationWriter) {
    this.#writer = writer;
  }

  add(info: ResourceInfo): void {
    const root = `${info.group === "" ? "/api" : "/apis"}/${apiVersionOf(info)}`;
    const scope = info.namespaced ? "/namespaces/{namespace}" : "";
    const collection = `${root}${scope}/${info.resource}`;
    const self = { group: info.group, version: info.version, kind: info.kind };
    this.#operations(info, collection, false, self, info.verbs, "");
    this.#operations(info, `${collection}/{name}`, true, self, info.verbs, "");
    if (info.namespaced && info.verbs.includes("list")) {
      this.#operations(info, `${root}/${info.resource}`, false, self, ["list"], "", true);
    }
    for (const sub of info.subresources) this.#subresource(info, `${collection}/{name}/${sub.name}`, sub);
  }

  #subresource(info: ResourceInfo, path: string, sub: SubresourceInfo): void {
    const kind = { group: sub.group ?? info.group, version: sub.version ?? info.version, kind: sub.kind ?? info.kind };
    const isOwn = info.custom !== undefined && kind.kind === info.kind;
    if (isOwn || kindSchema(apiVersionOf(kind), kind.kind)) {
      this.#operations(info, path, true, kind, sub.verbs, camel(sub.name));
      return;
    }
    // Streams (exec, attach, proxy, portforward): what goes through them has no schema.
    const item: PathItem = { parameters: this.#pathParameters(path) };
    const scope = info.namespaced ? "Namespaced" : "";
    for (const verb of sub.verbs.filter((one) => one === "get" || one === "create")) {
      const method = verb === "get" ? "get" : "post";
      item[method] = {
        ...this.#writer.bodies([], undefined, { "200": { type: "string" } }),
        operationId: `connect${groupName(info)}${camel(method)}${scope}${info.kind}${camel(sub.name)}`,
        "x-kubernetes-action": "connect",
        "x-kubernetes-group-version-kind": kind,
      };
    }
    this.paths[path] = item;
  }

  #operations(
    info: ResourceInfo,
    path: string,
    named: boolean,
    kind: Kind,
    allowed: readonly string[],
    sub: string,
    everywhere = false,
  ): void {
    const item: PathItem = {};
    for (const name of allowed) {
      const verb = verbs[name];
      // Creating a subresource, such as an eviction, is a POST to a named path.
      if (!verb || (verb.named !== named && !(name === "create" && sub !== ""))) continue;
      const scope = info.namespaced && !everywhere ? "Namespaced" : "";
      const suffix = everywhere ? "ForAllNamespaces" : "";
      const isCollection = name === "deletecollection" ? "Collection" : "";
      item[verb.method] = {
        ...this.#operation(info, name, verb, kind),
        operationId: `${operationWord(name)}${groupName(info)}${isCollection}${scope}${info.kind}${sub}${suffix}`,
        "x-kubernetes-action": verb.action,
        "x-kubernetes-group-version-kind": kind,
      };
    }
    if (Object.keys(item).length > 0) this.paths[path] = { ...item, parameters: this.#pathParameters(path) };
  }

  #reference(info: ResourceInfo, kind: Kind, list: boolean): JsonSchema {
    if (info.custom && kind.kind === info.kind) return this.#writer.custom(info, list);
    const typeName = kindSchema(apiVersionOf(kind), kind.kind)?.name ?? "";
    const listName = kindSchema(apiVersionOf(kind), `${kind.kind}List`)?.name ?? typeName;
    return this.#writer.reference(list ? listName : typeName);
  }

  #operation(info: ResourceInfo, name: string, verb: Verb, kind: Kind): PathItem {
    const isDelete = verb.method === "delete";
    const refer = (list: boolean) =>
      isDelete ? this.#writer.reference("meta.v1.Status") : this.#reference(info, kind, list);
    const parameters = Object.entries(verb.parameters).map(([one, type]) => this.#writer.parameter(one, "query", type));
    const answers = Object.fromEntries(verb.answers.map((code) => [code, refer(name === "list")]));
    const types = name === "patch" ? patchTypes.filter((type) => !info.custom || !type.includes("strategic")) : ["*/*"];
    const sends = ["create", "update", "patch", "delete", "deletecollection"].includes(name);
    const body = () => (isDelete ? this.#writer.reference("meta.v1.DeleteOptions") : refer(false));
    const schema = name === "patch" ? { type: "object" } : body();
    const written = this.#writer.bodies(sends ? types : [], sends ? schema : undefined, answers);
    return { ...written, parameters: [...((written["parameters"] as Parameter[]) ?? []), ...parameters] };
  }

  #pathParameters(path: string): Parameter[] {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
    return [
      ...names.map((name) => this.#writer.parameter(name, "path", "string")),
      this.#writer.parameter("pretty", "query", "string"),
    ];
  }
}
