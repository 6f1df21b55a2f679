import type { EndpointSlice, Service, ServicePort } from "@dhow/kube";
import { type Backend, backendsOf, serviceNameLabel } from "./endpoints.ts";

export interface Front {
  readonly address: string;
  readonly port: number;
}

/** What the kernel does for one port of one Service: packets to a front go to one of the backends, and are refused where there is none. */
export interface ServiceRule {
  /** Unique and stable, such as `bookmeup/auth-service:http`. */
  readonly name: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly fronts: readonly Front[];
  readonly backends: readonly Front[];
  /** How long a client stays with its backend, in seconds; undefined without session affinity. */
  readonly affinitySeconds: number | undefined;
  /** For internalTrafficPolicy Local: the backends of callers in a range, in place of `backends`. Where a range has none, its callers get no answer. */
  readonly byCaller?: readonly { readonly range: string; readonly backends: readonly Front[] }[];
}

export interface ServiceRuleOptions {
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly podCidr: string }[];
  /** Addresses that the agent itself answers at: the cluster's DNS and the API server. */
  readonly ownAddresses: ReadonlySet<string>;
}

const defaultAffinitySeconds = 10_800;

/** From Services and their EndpointSlices to rules; pure. */
export function serviceRules(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  options: ServiceRuleOptions,
): ServiceRule[] {
  const byService = Map.groupBy(slices, ({ metadata }) => {
    return `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`;
  });
  return services
    .filter((service) => clusterAddresses(service).every((address) => !options.ownAddresses.has(address)))
    .flatMap((service) => {
      const name = `${service.metadata.namespace}/${service.metadata.name}`;
      const ports = clusterAddresses(service).length > 0 ? (service.spec?.ports ?? []) : [];
      return ports.flatMap((port) => portRules(service, name, port, byService.get(name) ?? [], options));
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** IPv4 only; none for headless Services and external names. */
function clusterAddresses({ spec }: Service): string[] {
  if (spec?.type === "ExternalName") return [];
  const addresses = spec?.clusterIPs ?? [spec?.clusterIP ?? "None"];
  return addresses.filter((address) => address !== "None" && address.includes("."));
}

function portRules(
  service: Service,
  serviceName: string,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  { nodes }: ServiceRuleOptions,
): ServiceRule[] {
  const { spec, status } = service;
  const backends = backendsOf(slices, port.name ?? "");
  const balancers = (status?.loadBalancer?.ingress ?? [])
    .filter(({ ipMode }) => ipMode !== "Proxy")
    .map(({ ip }) => ip)
    .filter(isAddress);
  const outside = [...balancers, ...(spec?.externalIPs ?? [])].map((address) => ({ address, port: port.port }));
  const own = clusterAddresses(service).map((address) => ({ address, port: port.port }));
  const places = (chosen: readonly Backend[]): Front[] =>
    chosen.map(({ address, port: number }) => ({ address, port: number }));
  const rule = (name: string, fronts: readonly Front[], chosen: readonly Backend[]): ServiceRule => ({
    name,
    protocol: lowerCase(port.protocol),
    fronts,
    backends: places(chosen),
    affinitySeconds: affinityOf(service),
  });
  const near = (node: string) => backends.filter(({ nodeName }) => nodeName === node);
  const name = `${serviceName}:${port.name ?? port.port}`;
  const nodePort = port.nodePort;
  const doors = nodePort ? nodes.map((node) => ({ node: node.name, address: node.address, port: nodePort })) : [];
  // Each node answers with its own pods only, so that the client's address stays what it is.
  const external = spec?.externalTrafficPolicy === "Local";
  const local = external ? doors.map((door) => rule(`${name}@${door.node}`, [front(door)], near(door.node))) : [];
  const open = external ? [] : doors.map(front);
  if (spec?.internalTrafficPolicy !== "Local") return [rule(name, [...own, ...outside, ...open], backends), ...local];
  const byCaller = nodes.map((node) => ({ range: node.podCidr, backends: places(near(node.name)) }));
  const others = [...outside, ...open];
  return [
    { ...rule(name, own, backends), byCaller },
    ...(others.length > 0 ? [rule(`${name}@outside`, others, backends)] : []),
    ...local,
  ];
}

function front({ address, port }: Front): Front {
  return { address, port };
}

function isAddress(ip: string | undefined): ip is string {
  return ip?.includes(".") === true && !ip.startsWith("127.");
}

function lowerCase(protocol: ServicePort["protocol"]): ServiceRule["protocol"] {
  if (protocol === "UDP") return "udp";
  return protocol === "SCTP" ? "sctp" : "tcp";
}

function affinityOf({ spec }: Service): number | undefined {
  if (spec?.sessionAffinity !== "ClientIP") return undefined;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
}
