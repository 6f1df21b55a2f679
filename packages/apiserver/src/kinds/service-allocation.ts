import { type FieldFault, fieldFault, internalError, invalid as invalidObject, type Service } from "@dhow/kube";
import { type Allocators, allocatorsOf } from "../allocators/allocators.ts";
import type { Store } from "../store.ts";
import { serviceFaults } from "./service-validation.ts";

// pkg/registry/core/service/storage/alloc.go and strategy.go

const { invalid } = fieldFault;

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === "None" || spec?.clusterIPs?.[0] === "None";
}

function hasAddress({ spec }: Service): boolean {
  return spec?.type !== "ExternalName";
}

function hasNodePorts({ spec }: Service): boolean {
  return spec?.type === "NodePort" || spec?.type === "LoadBalancer";
}

export function needsHealthCheck({ spec }: Service): boolean {
  return spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** The singular and the plural of the same field (normalizeClusterIPs in pkg/registry/core/service/storage/storage.go). */
export function alignClusterIPs(service: Service, old: Service | undefined): void {
  const { spec } = service;
  if (!spec) return;
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const same = (spec.clusterIPs ?? []).join() === (old.spec?.clusterIPs ?? []).join();
  if (spec.clusterIP !== old.spec?.clusterIP) {
    // Cleared or changed the one and left the other alone: the other follows.
    if (!spec.clusterIP && same) delete spec.clusterIPs;
    else if (spec.clusterIP && same) spec.clusterIPs = [spec.clusterIP];
  } else if (!spec.clusterIPs?.length && spec.clusterIP && old.spec?.clusterIPs?.length) {
    spec.clusterIPs = old.spec.clusterIPs;
  }
}

/** An update that names no address or port keeps those that the Service has (patchAllocatedValues). */
export function keepAllocations(service: Service, old: Service): void {
  const { spec } = service;
  if (!spec || !old.spec) return;
  if (hasAddress(old) && hasAddress(service)) {
    if (!spec.clusterIP && old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP;
    if (!spec.clusterIPs?.length && old.spec.clusterIPs && spec.clusterIP === old.spec.clusterIP) {
      spec.clusterIPs = old.spec.clusterIPs;
    }
  }
  if (hasNodePorts(old) && hasNodePorts(service)) {
    const used = new Set((spec.ports ?? []).map((port) => port.nodePort));
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      const before = old.spec.ports?.find(
        (other) => other.port === port.port && (other.protocol ?? "TCP") === (port.protocol ?? "TCP"),
      );
      if (before?.nodePort && !used.has(before.nodePort)) port.nodePort = before.nodePort;
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(service) && old.spec.healthCheckNodePort) {
    spec.healthCheckNodePort ||= old.spec.healthCheckNodePort;
  }
}

/** A change of type takes along what was allocated for the old one, unless the user touched it (dropTypeDependentFields). */
export function dropWhatTheTypeNeedsNot(service: Service, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  if (!spec || !before) return;
  if (hasAddress(old) && !hasAddress(service)) {
    if (spec.clusterIP === before.clusterIP) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
    if (spec.internalTrafficPolicy === before.internalTrafficPolicy) delete spec.internalTrafficPolicy;
  }
  if (hasNodePorts(old) && !hasNodePorts(service)) {
    const known = new Set((before.ports ?? []).map((port) => port.nodePort));
    if ((spec.ports ?? []).every((port) => known.has(port.nodePort)))
      for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(service) && spec.healthCheckNodePort === before.healthCheckNodePort) {
    delete spec.healthCheckNodePort;
  }
  const loadBalancerFields = ["allocateLoadBalancerNodePorts", "loadBalancerClass"] as const;
  for (const field of loadBalancerFields) {
    if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer" && spec[field] === before[field])
      delete spec[field];
  }
  if (hasNodePorts(old) && !hasNodePorts(service) && spec.externalTrafficPolicy === before.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy;
  }
}

/** Gives addresses and ports. A Service that validation will refuse anyway gets none. Throws a StatusError when a wish cannot be met. */
export function allocate(service: Service, old: Service | undefined, store: Store): void {
  if (!service.spec || [...serviceFaults(service)].some((fault) => fault.field !== "spec.healthCheckNodePort")) return;
  const allocators = allocatorsOf(store);
  allocateAddress(service, old, allocators);
  if (hasNodePorts(service)) allocateNodePorts(service, old, allocators);
  if (needsHealthCheck(service) && !service.spec.healthCheckNodePort) {
    const port = allocators.nextNodePort(service);
    if (port === undefined) throw internalError("failed to allocate a HealthCheck NodePort 0: range is full");
    service.spec.healthCheckNodePort = port;
  }
}

function refuse(service: Service, fault: FieldFault): never {
  throw invalidObject("", "Service", service.metadata.name ?? "", [fault]);
}

function allocateAddress(service: Service, old: Service | undefined, allocators: Allocators): void {
  const { spec } = service;
  if (!hasAddress(service)) return;
  const isFree = isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (isFree ? "RequireDualStack" : "SingleStack");
  spec.ipFamilies ??= isFree && spec.ipFamilyPolicy !== "SingleStack" ? ["IPv4", "IPv6"] : ["IPv4"];
  if (!isFree) refuseOtherFamilies(service);
  if (isHeadless(service)) return;
  const wish = spec.clusterIP;
  if (!wish) {
    const address = allocators.nextAddress(service);
    if (!address)
      throw internalError(`failed to allocate a serviceIP for Service "${service.metadata.name}": range is full`);
    spec.clusterIP = address;
    spec.clusterIPs = [address];
  } else if (wish !== old?.spec.clusterIP) {
    const reason = allocators.takeAddress(service, wish);
    if (reason)
      refuse(service, invalid("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${wish}: ${reason}`));
  }
}

function refuseOtherFamilies(service: Service): void {
  const { ipFamilies = [], ipFamilyPolicy } = service.spec;
  if (ipFamilyPolicy === "RequireDualStack") {
    refuse(
      service,
      invalid("spec.ipFamilyPolicy", ipFamilyPolicy, "this cluster is not configured for dual-stack services"),
    );
  }
  const index = ipFamilies.indexOf("IPv6");
  if (index >= 0) refuse(service, invalid(`spec.ipFamilies[${index}]`, "IPv6", "not configured on this cluster"));
}

function allocateNodePorts(service: Service, old: Service | undefined, allocators: Allocators): void {
  const { spec } = service;
  const isWanted = spec.type === "NodePort" || spec.allocateLoadBalancerNodePorts !== false;
  const known = new Set((old?.spec.ports ?? []).map((port) => port.nodePort));
  const byPort = new Map<number, number>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (port.nodePort && !known.has(port.nodePort)) {
      const reason = allocators.takeNodePort(service, port.nodePort);
      if (reason) refuse(service, invalid(`spec.ports[${index}].nodePort`, port.nodePort, reason));
    }
    if (port.nodePort) byPort.set(port.port, port.nodePort);
  }
  for (const port of spec.ports ?? []) {
    if (port.nodePort || !isWanted) continue;
    // The same port over TCP and UDP gets one number.
    const number = byPort.get(port.port) ?? allocators.nextNodePort(service);
    if (number === undefined) throw internalError("failed to allocate a nodePort: range is full");
    port.nodePort = number;
    byPort.set(port.port, number);
  }
}
