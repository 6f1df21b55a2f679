import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass } from "@dhow/kube";
import { type IngressSettings, settingsOf, tryPattern } from "./annotations.ts";

export interface BackendRef {
  readonly namespace: string;
  readonly service: string;
  readonly port: number | string;
}

/** Where requests for one path of one host go. */
export interface Route {
  readonly path: string;
  /** The groups of a pattern, for the rewrite; undefined where the path does not match. */
  match(path: string): readonly string[] | undefined;
  readonly exact: boolean;
  readonly ingress: string;
  readonly backend: BackendRef | undefined;
  readonly settings: IngressSettings;
  readonly canaries: readonly { readonly backend: BackendRef | undefined; readonly settings: IngressSettings }[];
}

/** A host's own certificate and routes; the best match stands first. */
export interface HostRoutes {
  readonly routes: readonly Route[];
  /** `namespace/name` of a Secret, where the host is served over TLS. */
  readonly certificate: string | undefined;
}

/** By host: a name, `*.a-domain`, or "" for every other. */
export type RouteTable = ReadonlyMap<string, HostRoutes>;

export interface ClassOptions {
  /** What an IngressClass names as its controller when it is this one. */
  readonly controller: string;
  /** The value of the older annotation kubernetes.io/ingress.class. */
  readonly className: string;
}

/** Which Ingresses are this controller's: by class, by the older annotation, else by the default class, or if there are no classes at all. */
export function ownIngresses(
  ingresses: readonly Ingress[],
  classes: readonly IngressClass[],
  { controller, className }: ClassOptions,
): Ingress[] {
  const own = classes.filter(({ spec }) => spec.controller === controller);
  const isDefault = ({ metadata }: IngressClass) =>
    metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true";
  return ingresses.filter(({ metadata, spec }) => {
    const named = spec.ingressClassName;
    if (named !== undefined) return own.some((each) => each.metadata.name === named);
    const annotated = metadata.annotations?.["kubernetes.io/ingress.class"];
    if (annotated !== undefined) return annotated === className;
    return classes.length === 0 || own.some(isDefault);
  });
}

interface Entry {
  readonly host: string;
  readonly ingress: Ingress;
  readonly settings: IngressSettings;
  readonly path: HTTPIngressPath;
}

/** Compiles Ingresses; where two claim one path of one host, the older has it. */
export function compileRoutes(ingresses: readonly Ingress[]): RouteTable {
  const byAge = [...ingresses].sort((a, b) => compare(age(a), age(b)) || compare(nameOf(a), nameOf(b)));
  const entries = byAge.flatMap(entriesOf);
  const hosts = Map.groupBy(entries, ({ host }) => host);
  return new Map([...hosts].map(([host, own]) => [host, compileHost(host, own, byAge)]));
}

function compileHost(host: string, entries: readonly Entry[], ingresses: readonly Ingress[]): HostRoutes {
  // ingress-nginx: one pattern on a host makes patterns of all of the host's paths.
  const patterns = entries.some(({ settings }) => settings.useRegex || settings.rewriteTarget !== undefined);
  const key = ({ path }: Entry) => `${path.pathType === "Exact" ? "=" : ""}${path.path ?? "/"}`;
  const claims = Map.groupBy(entries, key);
  const routes = [...claims.values()].flatMap((claimants): Route[] => {
    const main = claimants.find(({ settings }) => settings.canary === undefined);
    if (main === undefined) return [];
    const canaries = claimants.filter(({ settings }) => settings.canary !== undefined);
    const path = main.path.path || "/";
    return [
      {
        path,
        match: matcher(main.path, patterns),
        exact: main.path.pathType === "Exact",
        ingress: nameOf(main.ingress),
        backend: backendRef(main.ingress, main.path.backend),
        settings: main.settings,
        canaries: canaries.map(({ ingress, path: own, settings }) => ({
          backend: backendRef(ingress, own.backend),
          settings,
        })),
      },
    ];
  });
  routes.sort((a, b) => Number(b.exact) - Number(a.exact) || b.path.length - a.path.length || compare(a.path, b.path));
  return { routes, certificate: certificateOf(host, ingresses) };
}

function entriesOf(ingress: Ingress): Entry[] {
  const settings = settingsOf(ingress);
  const { rules = [], defaultBackend } = ingress.spec;
  const entries = rules.flatMap(({ host = "", http }) =>
    (http?.paths ?? []).map((path) => ({ host: host.toLowerCase(), ingress, settings, path })),
  );
  if (!defaultBackend) return entries;
  const path: HTTPIngressPath = { path: "/", pathType: "Prefix", backend: defaultBackend };
  const hosts = rules.length > 0 ? [...new Set(rules.map(({ host = "" }) => host.toLowerCase()))] : [""];
  return [...entries, ...hosts.map((host) => ({ host, ingress, settings, path }))];
}

function backendRef(ingress: Ingress, { service }: IngressBackend): BackendRef | undefined {
  const port = service?.port?.number ?? service?.port?.name;
  if (service === undefined || port === undefined) return undefined;
  return { namespace: ingress.metadata.namespace ?? "", service: service.name, port };
}

function certificateOf(host: string, ingresses: readonly Ingress[]): string | undefined {
  for (const ingress of ingresses) {
    const tls = ingress.spec.tls?.find(({ hosts }) => hosts?.some((each) => hostMatches(each.toLowerCase(), host)));
    if (tls) return `${ingress.metadata.namespace}/${tls.secretName ?? ""}`;
  }
  return undefined;
}

/** Kubernetes' path types (networking/v1 HTTPIngressPath); ImplementationSpecific is nginx' plain prefix. */
function matcher({ path, pathType }: HTTPIngressPath, patterns: boolean): Route["match"] {
  const own = path || "/";
  if (pathType === "Exact") return (asked) => (asked === own ? [asked] : undefined);
  if (patterns) {
    const pattern = tryPattern(`^${own}`, "i");
    return (asked) => pattern?.exec(asked)?.map((group) => group ?? "");
  }
  if (pathType === "ImplementationSpecific") return (asked) => (asked.startsWith(own) ? [asked] : undefined);
  const bare = own.replace(/\/+$/, "");
  return (asked) => (asked === bare || asked.startsWith(`${bare}/`) ? [asked] : undefined);
}

/** `host` without a port, `path` without a query. A host that has routes of its own is not served by those of any other. */
export function findHost(table: RouteTable, host: string): HostRoutes | undefined {
  const name = host.toLowerCase();
  const parent = name.slice(name.indexOf("."));
  return table.get(name) ?? (parent.startsWith(".") ? table.get(`*${parent}`) : undefined) ?? table.get("");
}

export interface Match {
  readonly route: Route;
  readonly groups: readonly string[];
}

export function findRoute({ routes }: HostRoutes, path: string): Match | undefined {
  for (const route of routes) {
    const groups = route.match(path);
    if (groups) return { route, groups };
  }
  return undefined;
}

/** A wildcard stands for exactly one label. */
export function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return pattern === host || pattern.slice(1) === host.slice(host.indexOf("."));
}

/** What is asked of the pod instead: `/$2` with the pattern's groups. Without a rewrite the path stays as it came. */
export function rewrite({ route, groups }: Match, path: string): string {
  const target = route.settings.rewriteTarget;
  if (target === undefined) return path;
  const written = target.replace(/\$(\d)/g, (_, digit: string) => groups[Number(digit)] ?? "");
  return written.startsWith("/") ? written : `/${written}`;
}

function nameOf({ metadata }: Ingress): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function age({ metadata }: Ingress): string {
  return metadata.creationTimestamp ?? "";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
