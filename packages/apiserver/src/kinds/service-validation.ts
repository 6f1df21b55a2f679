import { isIP } from "node:net";
import { type FieldFault, fieldFault, type Service, type ServicePort } from "@dhow/kube";
import { labelFaults, oneOf } from "../validation/metadata.ts";
import { checkLabel1123, checkPortNumber, checkQualifiedName, checkSubdomain } from "../validation/names.ts";
import { portFaults, portProtocols } from "./pod/handlers.ts";
import { isNetwork, networkMessage } from "../validation/networks.ts";

// validateService in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, notSupported, required } = fieldFault;

export const addressMessage = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const longestAffinity = 86_400;

export function* serviceFaults(service: Service): Generator<FieldFault> {
  const spec = service.spec ?? {};
  const headless = spec.clusterIPs?.[0] === "None" || (!spec.clusterIPs && spec.clusterIP === "None");
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !headless && spec.type !== "ExternalName") yield required("spec.ports");
  if (headless && (spec.type === "LoadBalancer" || spec.type === "NodePort")) {
    yield invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`);
  }
  if (spec.type === "ExternalName") yield* externalNameFaults(spec);
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    yield* servicePortFaults(port, names, ports.length > 1, `spec.ports[${index}]`);
  }
  yield* labelFaults(spec.selector, "spec.selector");
  yield* affinityFaults(spec);
  if (spec.type !== "ExternalName") yield* clusterIPFaults(spec);
  yield* externalAddressFaults(spec);
  yield* oneOf(spec.type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], "spec.type");
  yield* repeatedPortFaults(spec);
  yield* loadBalancerFaults(spec);
  yield* trafficFaults(spec);
}

type Spec = Partial<Service["spec"]>;

function* externalNameFaults(spec: Spec): Generator<FieldFault> {
  for (const field of ["clusterIPs", "ipFamilies"] as const) {
    if (spec[field]?.length) yield forbidden(`spec.${field}`, "may not be set for ExternalName services");
  }
  if (spec.ipFamilyPolicy) yield forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services");
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (!name) yield required("spec.externalName");
  else for (const message of checkSubdomain(name)) yield invalid("spec.externalName", name, message);
}

function* servicePortFaults(port: ServicePort, names: Set<string>, named: boolean, at: string): Generator<FieldFault> {
  if (!port.name) {
    if (named) yield required(`${at}.name`);
  } else {
    for (const message of checkLabel1123(port.name)) yield invalid(`${at}.name`, port.name, message);
    if (names.has(port.name)) yield duplicate(`${at}.name`, port.name);
    names.add(port.name);
  }
  for (const message of checkPortNumber(port.port ?? 0)) yield invalid(`${at}.port`, port.port ?? 0, message);
  yield* oneOf(port.protocol, portProtocols, `${at}.protocol`);
  yield* portFaults(port.targetPort, `${at}.targetPort`);
  if (port.appProtocol !== undefined) {
    for (const message of checkQualifiedName(port.appProtocol))
      yield invalid(`${at}.appProtocol`, port.appProtocol, message);
  }
}

function* affinityFaults(spec: Spec): Generator<FieldFault> {
  yield* oneOf(spec.sessionAffinity, ["ClientIP", "None"], "spec.sessionAffinity");
  const at = "spec.sessionAffinityConfig";
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === "ClientIP" && seconds !== undefined && (seconds <= 0 || seconds > longestAffinity)) {
    yield invalid(`${at}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${longestAffinity}`);
  }
  if (spec.sessionAffinity === "None" && spec.sessionAffinityConfig) {
    yield forbidden(at, "must not be set when session affinity is None");
  }
}

function* clusterIPFaults(spec: Spec): Generator<FieldFault> {
  const { clusterIP, clusterIPs = [] } = spec;
  const at = "spec.clusterIPs";
  if (clusterIP) {
    if (clusterIPs.length === 0) yield required(at);
    else if (clusterIPs[0] !== clusterIP) yield invalid(at, clusterIPs, "first value must match `clusterIP`");
  } else if (clusterIPs.length > 0) {
    yield invalid(at, clusterIPs, "must be empty when `clusterIP` is not specified");
  }
  const families = new Set<string>();
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!["IPv4", "IPv6"].includes(family)) yield notSupported(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"]);
    if (families.has(family)) yield duplicate(`spec.ipFamilies[${index}]`, family);
    families.add(family);
  }
  const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  if (spec.ipFamilyPolicy && !policies.includes(spec.ipFamilyPolicy)) {
    yield notSupported("spec.ipFamilyPolicy", spec.ipFamilyPolicy, policies);
  }
  for (const [index, address] of clusterIPs.entries()) {
    if (index === 0 && address === "None") {
      if (clusterIPs.length > 1) yield invalid(at, clusterIPs, "'None' must be the first and only value");
    } else if (isIP(address) === 0) yield invalid(`${at}[${index}]`, address, addressMessage);
  }
  if (clusterIPs.length > 2) yield invalid(at, clusterIPs, "may only hold up to 2 values");
}

function* externalAddressFaults(spec: Spec): Generator<FieldFault> {
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    yield* endpointAddressFaults(address, `spec.externalIPs[${index}]`);
  }
}

export const loopbackMessage = "may not be in the loopback range (127.0.0.0/8, ::1/128)";

/** Addresses that a service may be reached at or send to (ValidateEndpointIP). */
export function* endpointAddressFaults(address: string, at: string): Generator<FieldFault> {
  if (isIP(address) === 0) {
    yield invalid(at, address, addressMessage);
    return;
  }
  if (address === "0.0.0.0" || address === "::") yield invalid(at, address, `may not be unspecified (${address})`);
  if (address.startsWith("127.") || address === "::1") {
    yield invalid(at, address, loopbackMessage);
  }
  if (address.startsWith("169.254.") || /^fe[89ab]/i.test(address)) {
    yield invalid(at, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (address.startsWith("224.0.0.") || /^ff02:/i.test(address)) {
    yield invalid(at, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

function* repeatedPortFaults(spec: Spec): Generator<FieldFault> {
  const ports = spec.ports ?? [];
  if (spec.type === "ClusterIP") {
    for (const [index, port] of ports.entries()) {
      if (port.nodePort) yield forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'");
    }
  }
  const nodePorts = new Set<string>();
  for (const [index, { nodePort, protocol }] of ports.entries()) {
    if (!nodePort) continue;
    if (nodePorts.has(`${protocol}/${nodePort}`)) yield duplicate(`spec.ports[${index}].nodePort`, nodePort);
    nodePorts.add(`${protocol}/${nodePort}`);
  }
  const pairs = new Set<string>();
  for (const [index, { port, protocol }] of ports.entries()) {
    if (pairs.has(`${protocol}/${port}`)) yield duplicate(`spec.ports[${index}]`, internalPort(port, protocol ?? ""));
    pairs.add(`${protocol}/${port}`);
  }
}

/** As the server prints its internal type, with nothing in it but these two. */
function internalPort(port: number, protocol: string): Record<string, unknown> {
  return { Name: "", Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
}

function* loadBalancerFaults(spec: Spec): Generator<FieldFault> {
  const isBalancer = spec.type === "LoadBalancer";
  const message = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isBalancer) yield forbidden("spec.LoadBalancerSourceRanges", message);
  for (const [index, range] of ranges.entries()) {
    if (!isNetwork(range.trim()))
      yield invalid(`spec.LoadBalancerSourceRanges[${index}]`, range.trim(), networkMessage);
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalancer) {
    yield forbidden("spec.allocateLoadBalancerNodePorts", message);
  }
  if (spec.loadBalancerClass !== undefined && !isBalancer) {
    yield forbidden("spec.loadBalancerClass", message);
  }
}

function* trafficFaults(spec: Spec): Generator<FieldFault> {
  const reachable =
    spec.type === "LoadBalancer" ||
    spec.type === "NodePort" ||
    (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);
  const policies = ["Cluster", "Local"];
  const external = spec.externalTrafficPolicy;
  const at = "spec.externalTrafficPolicy";
  if (!reachable) {
    if (external) yield invalid(at, external, "may only be set for externally-accessible services");
  } else yield* oneOf(external, policies, at);
  if (spec.healthCheckNodePort && !(spec.type === "LoadBalancer" && external === "Local")) {
    const message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    yield invalid("spec.healthCheckNodePort", spec.healthCheckNodePort, message);
  }
  const internal = spec.internalTrafficPolicy;
  if (internal && !policies.includes(internal)) yield notSupported("spec.internalTrafficPolicy", internal, policies);
  const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
  if (spec.trafficDistribution !== undefined && !distributions.includes(spec.trafficDistribution)) {
    yield notSupported("spec.trafficDistribution", spec.trafficDistribution, distributions);
  }
}
