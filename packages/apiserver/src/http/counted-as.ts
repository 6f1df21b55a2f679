import type { ApiRequest } from "../server.ts";
import type { Resource } from "../registry/resource.ts";
import { mediaTypeOf } from "./decode.ts";
import type { RequestInfo } from "./request-info.ts";

/** What a request counts as in metrics. */
export interface CountedAs {
  /** In Prometheus' text format, without braces. */
  readonly labels: string;
  /** Whether it lasts as long as somebody listens, so that its duration says nothing. */
  readonly longRunning: boolean;
}

/** Pages outside resources that are counted; what is below them is counted with them. */
const pages: Readonly<Record<string, string>> = {
  api: "api",
  apis: "apis",
  healthz: "/healthz",
  livez: "/livez",
  openapi: "openapi",
  readyz: "/readyz",
};

/** HTTP's verbs for what is written, as the label has them. */
const shownVerbs: Readonly<Record<string, string>> = { create: "POST", update: "PUT" };

/** Subresources that lead to a kubelet. */
const connecting = new Set(["attach", "exec", "log", "portforward", "proxy"]);

/**
 * A server counts what it has a route for: every value of a label is one of a few that the server knows, none is a client's own
 * (cleanVerb, CleanScope and cleanDryRun in apiserver/pkg/endpoints/metrics/metrics.go). Undefined where there is no route.
 */
export function countedAs(
  info: RequestInfo,
  request: ApiRequest,
  resource: Resource | undefined,
): CountedAs | undefined {
  if (!info.target) return pageAs(info, request);
  if (!resource) return undefined;
  const { subresource } = info.target;
  const { verbs } =
    subresource === "" ? resource.info : (resource.info.subresources.find(({ name }) => name === subresource) ?? {});
  if (!verbs?.includes(info.verb)) return undefined;
  const connects = connecting.has(subresource);
  const verb = connects ? "CONNECT" : verbLabel(info.verb, request);
  const { group, version, resource: name } = resource.info;
  const scope = scopeOf(info);
  const labels = {
    component: "apiserver",
    dry_run: dryRunLabel(info),
    group,
    resource: name,
    scope,
    subresource,
    verb,
    version,
  };
  return { labels: text(labels), longRunning: connects || info.verb === "watch" };
}

function pageAs({ path }: RequestInfo, { method }: ApiRequest): CountedAs | undefined {
  const first = path.split("/")[1] ?? "";
  const subresource = Object.hasOwn(pages, first) ? pages[first] : undefined;
  if (subresource === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
  const component = subresource.startsWith("api") ? "apiserver" : "";
  const labels = { component, dry_run: "", group: "", resource: "", scope: "", subresource, verb: "GET", version: "" };
  return { labels: text(labels), longRunning: false };
}

function verbLabel(verb: string, { headers }: ApiRequest): string {
  if (verb === "patch" && mediaTypeOf(headers["content-type"]).startsWith("application/apply-patch+")) return "APPLY";
  return shownVerbs[verb] ?? verb.toUpperCase();
}

function scopeOf({ target, verb }: RequestInfo): string {
  if (verb === "create" || (target?.name ?? "") !== "") return "resource";
  return target?.namespace === undefined ? "cluster" : "namespace";
}

function dryRunLabel({ query }: RequestInfo): string {
  const wanted = query.getAll("dryRun");
  if (wanted.length === 0) return "";
  return wanted.every((value) => value === "All") ? "All" : "invalid";
}

interface Labels {
  readonly component: string;
  readonly dry_run: string;
  readonly group: string;
  readonly resource: string;
  readonly scope: string;
  readonly subresource: string;
  readonly verb: string;
  readonly version: string;
}

function text({ component, dry_run, group, resource, scope, subresource, verb, version }: Labels): string {
  const what = `component="${component}",dry_run="${dry_run}",group="${group}",resource="${resource}"`;
  return `${what},scope="${scope}",subresource="${subresource}",verb="${verb}",version="${version}"`;
}
