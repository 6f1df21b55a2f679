import { isTrue } from "../registry/query.ts";

/** What a request is about (apiserver/pkg/endpoints/request/requestinfo.go). */
export interface RequestInfo {
  /** With its escapes read, which is what rights are about. */
  readonly path: string;
  /** As it was sent. */
  readonly rawPath: string;
  readonly query: URLSearchParams;
  /** Lower case: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; outside resources the HTTP method. */
  readonly verb: string;
  /** Undefined for paths that are not about resources. */
  readonly target: ResourceTarget | undefined;
}

export interface ResourceTarget {
  readonly group: string;
  readonly version: string;
  /** The plural: `pods`. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

const collectionVerbs: Readonly<Record<string, string>> = { get: "list", delete: "deletecollection" };
const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
/** Subresources of namespaces: anything else after a namespace's name is a resource in it. */
const namespaceSubresources = new Set(["status", "finalize"]);

/** A path may come with a scheme and a host before it (RFC 9112, 3.2.2), which say nothing here. */
const absoluteForm = /^https?:\/\/[^/?]*/i;

/** @param url path and query. Undefined where the path has an escape that is none. */
export function parseRequestInfo(method: string, url: string): RequestInfo | undefined {
  const origin = url.startsWith("/") ? url : url.replace(absoluteForm, "");
  const mark = origin.indexOf("?");
  const rawPath = mark < 0 ? origin : origin.slice(0, mark);
  if (rawPath.includes("%") && /%(?![0-9a-f]{2})/i.test(rawPath)) return undefined;
  const path = unescaped(rawPath);
  const query = new URLSearchParams(mark < 0 ? "" : origin.slice(mark + 1));
  const target = parseTarget(path);
  if (!target) return { path, rawPath, query, verb: method.toLowerCase(), target: undefined };
  return { path, rawPath, query, ...withVerb(verbs[method] ?? "", target, query) };
}

function unescaped(path: string): string {
  if (!path.includes("%")) return path;
  const bytes = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function withVerb(verb: string, target: ResourceTarget & { watching?: boolean }, query: URLSearchParams) {
  const { watching = false, ...plain } = target;
  const wanted = watching || isTrue(query.get("watch"));
  if (verb === "get" && (watching || (target.name === "" && wanted))) {
    return { verb: "watch", target: { ...plain, name: target.name || nameInSelector(query) } };
  }
  if (target.name !== "") return { verb, target: plain };
  const collection = collectionVerbs[verb] ?? verb;
  return { verb: collection, target: collection === "list" ? { ...plain, name: nameInSelector(query) } : plain };
}

/** A list or watch of one name counts as about that name, so that a role may allow it. */
function nameInSelector(query: URLSearchParams): string {
  const match = /(?:^|,)metadata\.name==?([^,]+)(?:,|$)/.exec(query.get("fieldSelector") ?? "");
  return match?.[1] ?? "";
}

/** Undefined where the path is not `/api/v1/…` or `/apis/group/version/…`. */
function parseTarget(path: string): (ResourceTarget & { watching?: boolean }) | undefined {
  const parts = path.replace(/^\/|\/$/g, "").split("/");
  const core = parts[0] === "api";
  if (!core && parts[0] !== "apis") return undefined;
  const group = core ? "" : (parts[1] ?? "");
  const version = parts[core ? 1 : 2] ?? "";
  let rest = parts.slice(core ? 2 : 3);
  if (rest.length === 0) return undefined;
  const watching = rest[0] === "watch";
  if (watching) rest = rest.slice(1);
  let namespace: string | undefined;
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1];
    if (rest.length > 2 && !namespaceSubresources.has(rest[2] ?? "")) rest = rest.slice(2);
  }
  const [resource = "", name = "", subresource = ""] = rest;
  return {
    group,
    version,
    resource,
    name,
    subresource,
    namespace: resource === "namespaces" ? undefined : namespace,
    ...(watching ? { watching } : {}),
  };
}
