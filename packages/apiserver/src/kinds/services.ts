import { type FieldFault, fieldFault, type Service } from "@dhow/kube";
import { allocatorsOf } from "../allocators/allocators.ts";
import type { Strategy } from "../strategy.ts";
import { labelName } from "../validation/names.ts";
import { alignClusterIPs, allocate, dropWhatTheTypeNeedsNot, keepAllocations } from "./service-allocation.ts";
import { serviceFaults } from "./service-validation.ts";

// SetDefaults_Service in pkg/apis/core/v1/defaults.go, pkg/registry/core/service

const { forbidden, invalid } = fieldFault;

export const services: Strategy = {
  nameRule: labelName,
  createOnUpdate: true,
  applyDefaults: (object) => applyDefaults(object as Service),
  prepareForCreate(object, store) {
    const service = object as Service;
    service.status = { loadBalancer: {} };
    alignClusterIPs(service, undefined);
    allocate(service, undefined, store);
  },
  prepareForUpdate(object, old, store) {
    const [service, before] = [object as Service, old as Service];
    keepAllocations(service, before);
    alignClusterIPs(service, before);
    dropWhatTheTypeNeedsNot(service, before);
    applyDefaults(service);
    if ([...changeFaults(service, before)].length === 0) allocate(service, before, store);
    if (service.spec?.type !== "LoadBalancer") service.status = { ...service.status, loadBalancer: {} };
  },
  afterDelete: (object, store) => allocatorsOf(store).release(object as Service),
  validate: (object) => [...serviceFaults(object as Service)],
  validateUpdate: (object, old) => [...changeFaults(object as Service, old as Service)],
};

function applyDefaults({ spec, status }: Service): void {
  if (!spec) return;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  }
  const isPublic = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (isPublic || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0))
    spec.externalTrafficPolicy ||= "Cluster";
  if (isPublic || spec.type === "ClusterIP") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
}

/** Addresses once given stay, and so do the family and the class of a load balancer. */
function* changeFaults({ spec }: Service, { spec: old }: Service): Generator<FieldFault> {
  const keeps = spec.type !== "ExternalName" && old.type !== "ExternalName";
  for (const [index, address] of (old.clusterIPs ?? []).entries()) {
    if (!keeps || index > 0) break;
    const wish = spec.clusterIPs?.[index];
    if (wish !== address)
      yield invalid("spec.clusterIPs[0]", wish === undefined ? null : [wish], "may not change once set");
  }
  if (keeps && old.ipFamilies?.[0] && spec.ipFamilies && spec.ipFamilies[0] !== old.ipFamilies[0]) {
    yield invalid("spec.ipFamilies[0]", spec.ipFamilies[0], "may not change once set");
  }
  const isBalancer = spec.type === "LoadBalancer" && old.type === "LoadBalancer";
  if (isBalancer && spec.loadBalancerClass !== old.loadBalancerClass) {
    yield invalid("spec.loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set");
  }
  const checked = isBalancer && spec.externalTrafficPolicy === "Local" && old.externalTrafficPolicy === "Local";
  if (checked && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    yield forbidden("spec.healthCheckNodePort", "field is immutable");
  }
}
