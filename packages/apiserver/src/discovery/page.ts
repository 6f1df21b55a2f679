import { createHash } from "node:crypto";
import { type HttpResponse, notAcceptable, type ResourceInfo, unknownMethod, unknownResource } from "@dhow/kube";
import type { Page, PageRequest } from "../http/pages.ts";
import { aggregatedDiscovery } from "./aggregated.ts";
import { coreVersions, group, groupList, namedGroups, resourceList } from "./plain.ts";

const wantsAggregated = /^application\/json\s*;(?=.*\bg=apidiscovery\.k8s\.io\b)(?=.*\bas=APIGroupDiscoveryList\b)/;
const wantsPlain = /^(?:application\/json|application\/\*|\*\/\*)\s*(?:;\s*(?:q|charset)=[^;]*)*$/;

/** The version of aggregated discovery that a client takes; undefined: the plain form. Throws 406 where it takes neither. */
function negotiate(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const wish of (accept || "application/json").split(",").map((one) => one.trim())) {
    if (wantsPlain.test(wish)) return undefined;
    const version = wantsAggregated.test(wish) ? /\bv=(v2|v2beta1)\b/.exec(wish)?.[1] : undefined;
    if (version !== undefined) return version as "v2" | "v2beta1";
  }
  throw notAcceptable(["application/json"]);
}

function plain(document: Record<string, unknown>): HttpResponse {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(document) };
}

/** With an ETag, for a client to keep and ask whether it still holds (aggregated/etag.go). */
function tagged(document: object, type: string, { headers }: PageRequest): HttpResponse {
  const body = JSON.stringify(document);
  const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
  const common = { etag, vary: "Accept", "cache-control": "public" };
  const known = (headers["if-none-match"] ?? "").split(",").some((one) => one.trim() === etag);
  if (known) return { status: 304, headers: common, body: "" };
  return { status: 200, headers: { ...common, "content-type": type }, body };
}

function root(request: PageRequest, served: readonly ResourceInfo[], address: string): HttpResponse {
  const core = request.path.startsWith("/api/") || request.path === "/api";
  const version = negotiate(request.headers["accept"]);
  if (version === undefined) return plain(core ? coreVersions(served, address) : groupList(served));
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return tagged(aggregatedDiscovery(served, core, version), type, request);
}

/** `/apis/<group>` and `/apis/<group>/<version>`. Groups that are not served are no paths at all. */
function named(
  request: PageRequest,
  served: readonly ResourceInfo[],
  parts: readonly string[],
): HttpResponse | undefined {
  const [name = "", version] = parts;
  if (!namedGroups(served).some((one) => one.name === name)) return undefined;
  negotiate(request.headers["accept"]);
  if (version === undefined) {
    const found = group(served, name);
    return found && plain(found);
  }
  return resources(request, served, `${name}/${version}`);
}

function resources(request: PageRequest, served: readonly ResourceInfo[], apiVersion: string): HttpResponse {
  const list = resourceList(served, apiVersion);
  if (!list) throw unknownResource();
  if (request.method !== "GET" && request.method !== "HEAD") throw unknownMethod();
  negotiate(request.headers["accept"]);
  return plain(list);
}

/**
 * Answers `/api`, `/apis` and what is below them down to `/apis/<group>/<version>`.
 * @param served what is served at the time, groups in order of preference.
 * @param address host and port of the server, as `/api` tells it.
 */
export function discoveryPage(served: () => readonly ResourceInfo[], address: string): Page {
  return (request) => {
    const [, first, ...rest] = request.path.replace(/\/$/, "").split("/");
    if (first === "apis" && rest.length <= 2) {
      return rest.length === 0 ? root(request, served(), address) : named(request, served(), rest);
    }
    if (first !== "api" || rest.length > 1) return undefined;
    if (rest[0] !== undefined) return resources(request, served(), rest[0]);
    if (request.method !== "GET" && request.method !== "HEAD") throw unknownMethod();
    return root(request, served(), address);
  };
}
