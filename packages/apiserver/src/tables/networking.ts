import type {
  Endpoints,
  EndpointSlice,
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  Service,
  ServiceCIDR,
} from "@dhow/kube";
import { isMarked, labelsCell, listCell, none, selectorCell, unset } from "./cells.ts";
import { ageColumn, column, nameColumn, table, wide } from "./definition.ts";
import { since } from "./duration.ts";

const services = table<Service>({
  columns: [
    nameColumn,
    column("Type"),
    column("Cluster-IP"),
    column("External-IP"),
    column("Port(s)"),
    ageColumn,
    wide("Selector", "Labels of the pods."),
  ],
  cells: (service, now) => {
    const { metadata, spec } = service;
    const ports = spec.ports?.map(({ port, nodePort, protocol = "TCP" }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    );
    return [
      metadata.name ?? "",
      spec.type ?? "ClusterIP",
      spec.clusterIPs?.[0] ?? none,
      externalIp(service),
      ports?.join(",") || none,
      since(metadata.creationTimestamp, now),
      labelsCell(spec.selector),
    ];
  },
});

function externalIp({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type ?? "ClusterIP") {
    case "ClusterIP":
    case "NodePort":
      return external.join(",") || none;
    case "LoadBalancer":
      return [...balancerAddresses(status?.loadBalancer?.ingress), ...external].join(",") || "<pending>";
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

/** Addresses or names, sorted, each once. */
function balancerAddresses(ingress: readonly { ip?: string; hostname?: string }[] | undefined): string[] {
  const found = new Set((ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").filter((one) => one !== ""));
  return [...found].sort((a, b) => (a < b ? -1 : 1));
}

const endpoints = table<Endpoints>({
  columns: [nameColumn, column("Endpoints", "string", "Addresses and ports that are ready."), ageColumn],
  cells: ({ metadata, subsets }, now) => {
    const places = (subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
      ports.length === 0
        ? addresses.map(({ ip }) => ip)
        : ports.flatMap(({ port }) =>
            addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
          ),
    );
    const cell = listCell(places, 3, (subsets ?? []).length === 0 ? none : "");
    return [metadata.name ?? "", cell, since(metadata.creationTimestamp, now)];
  },
});

const endpointSlices = table<EndpointSlice>({
  columns: [nameColumn, column("AddressType"), column("Ports"), column("Endpoints"), ageColumn],
  cells: ({ metadata, addressType, ports, endpoints }, now) => [
    metadata.name ?? "",
    addressType,
    listCell(
      (ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? "*") : String(port))),
      3,
      unset,
    ),
    listCell(
      (endpoints ?? []).flatMap(({ addresses }) => addresses),
      3,
      unset,
    ),
    since(metadata.creationTimestamp, now),
  ],
});

const ingresses = table<Ingress>({
  columns: [nameColumn, column("Class"), column("Hosts"), column("Address"), column("Ports"), ageColumn],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec?.ingressClassName ?? none,
    hostsCell(spec?.rules ?? []),
    balancerAddresses(status?.loadBalancer?.ingress).join(","),
    spec?.tls?.length ? "80, 443" : "80",
    since(metadata.creationTimestamp, now),
  ],
});

/** The first three hosts; what counts as more are the rules. */
function hostsCell(rules: readonly { host?: string }[]): string {
  const hosts: string[] = [];
  for (const { host } of rules) {
    if (hosts.length === 3) return `${hosts.join(",")} + ${rules.length - 3} more...`;
    if (host) hosts.push(host);
  }
  return hosts.join(",") || "*";
}

const ingressClasses = table<IngressClass>({
  columns: [nameColumn, column("Controller"), column("Parameters"), ageColumn],
  cells: ({ metadata, spec }, now) => {
    const parameters = spec?.parameters;
    const kind = parameters?.apiGroup ? `${parameters.kind}.${parameters.apiGroup}` : parameters?.kind;
    const standard = isMarked(metadata, "ingressclass.kubernetes.io/is-default-class");
    return [
      `${metadata.name ?? ""}${standard ? " (default)" : ""}`,
      spec?.controller ?? "",
      parameters ? `${kind}/${parameters.name}` : none,
      since(metadata.creationTimestamp, now),
    ];
  },
});

const networkPolicies = table<NetworkPolicy>({
  columns: [nameColumn, column("Pod-Selector", "string", "Labels of the pods that it is about."), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    selectorCell(spec?.podSelector),
    since(metadata.creationTimestamp, now),
  ],
});

const serviceCidrs = table<ServiceCIDR>({
  columns: [nameColumn, column("CIDRs"), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    spec?.cidrs?.join(",") ?? "",
    since(metadata.creationTimestamp, now),
  ],
});

const ipAddresses = table<IPAddress>({
  columns: [nameColumn, column("ParentRef")],
  // The age has no column in the server's own table either.
  cells: ({ metadata, spec }, now) => {
    const parent = spec?.parentRef;
    const resource = parent?.group ? `${parent.resource}.${parent.group}` : parent?.resource;
    const place = parent && [resource?.toLowerCase(), parent.namespace, parent.name].filter(Boolean).join("/");
    return [metadata.name ?? "", place ?? none, since(metadata.creationTimestamp, now)];
  },
});

export const networkingTables = {
  services,
  endpoints,
  "endpointslices.discovery.k8s.io": endpointSlices,
  "ingresses.networking.k8s.io": ingresses,
  "ingressclasses.networking.k8s.io": ingressClasses,
  "networkpolicies.networking.k8s.io": networkPolicies,
  "servicecidrs.networking.k8s.io": serviceCidrs,
  "ipaddresses.networking.k8s.io": ipAddresses,
} as const;
