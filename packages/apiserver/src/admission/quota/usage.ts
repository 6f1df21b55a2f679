import type { KubeObject, PersistentVolumeClaim, Pod, ResourceQuota, Service } from "@dhow/kube";
import { qualityOfService } from "../../kinds/pod/quality-of-service.ts";
import { type Amounts, podLimits, podRequests } from "../pod-resources.ts";

// pkg/quota/v1/evaluator/core

interface Requirement {
  readonly operator: string;
  readonly scopeName: string;
  readonly values?: readonly string[];
}

const usages = new WeakMap<KubeObject, Amounts>();

/** What a stored object counts against quotas, under every name that a quota may use. Objects in the store are frozen, so this is worked out once. */
export function usageOf(resource: string, object: KubeObject): Amounts {
  const known = Object.isFrozen(object) ? usages.get(object) : undefined;
  if (known) return known;
  const usage = computeUsage(resource, object);
  if (Object.isFrozen(object)) usages.set(object, usage);
  return usage;
}

/** Names of kinds that quotas may also count without `count/`. */
const shortNames = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);

function computeUsage(resource: string, object: KubeObject): Amounts {
  const count: Amounts = { [`count/${resource}`]: "1" };
  if (shortNames.has(resource)) count[resource] = "1";
  switch (resource) {
    case "pods":
      return { ...count, ...podUsage(object as Pod) };
    case "services":
      return { ...count, ...serviceUsage(object as Service) };
    case "persistentvolumeclaims":
      return { ...count, ...claimUsage(object as PersistentVolumeClaim) };
    default:
      return count;
  }
}

function podUsage({ metadata, spec, status }: Pod): Amounts {
  // What is over or on its way out holds nothing (QuotaV1Pod).
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return {};
  const graceMilliseconds = (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  if (metadata.deletionTimestamp && Date.parse(metadata.deletionTimestamp) + graceMilliseconds < Date.now()) return {};
  const usage: Amounts = { pods: "1" };
  for (const [name, amount] of Object.entries(podRequests(spec))) {
    const native = ["cpu", "memory", "ephemeral-storage"].includes(name) || name.startsWith("hugepages-");
    if (native) usage[name] = amount;
    usage[`requests.${name}`] = amount;
  }
  for (const [name, amount] of Object.entries(podLimits(spec))) usage[`limits.${name}`] = amount;
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = (spec?.ports ?? []).length;
  const usage: Amounts = { "services.nodeports": "0", "services.loadbalancers": "0" };
  if (spec?.type === "NodePort") usage["services.nodeports"] = String(ports);
  if (spec?.type === "LoadBalancer") {
    const allocated = (spec.ports ?? []).filter((port) => port.nodePort).length;
    usage["services.nodeports"] = String(spec.allocateLoadBalancerNodePorts === false ? allocated : ports);
    usage["services.loadbalancers"] = "1";
  }
  return usage;
}

function claimUsage({ spec }: PersistentVolumeClaim): Amounts {
  const storage = spec?.resources?.requests?.["storage"];
  const className = spec?.storageClassName;
  const prefix = className ? `${className}.storageclass.storage.k8s.io/` : undefined;
  return {
    ...(prefix ? { [`${prefix}persistentvolumeclaims`]: "1" } : {}),
    ...(storage === undefined ? {} : { "requests.storage": storage }),
    ...(prefix && storage !== undefined ? { [`${prefix}requests.storage`]: storage } : {}),
  };
}

/** Whether a quota is about an object at all: whether it is in all of the quota's scopes. */
export function inScope(quota: ResourceQuota, resource: string, object: KubeObject): boolean {
  const scopes = (quota.spec?.scopes ?? []).map((scopeName): Requirement => ({ scopeName, operator: "Exists" }));
  const all = [...scopes, ...(quota.spec?.scopeSelector?.matchExpressions ?? [])];
  if (all.length === 0) return true;
  return resource === "pods" && all.every((requirement) => podInScope(requirement, object as Pod));
}

function podInScope({ operator, scopeName, values = [] }: Requirement, pod: Pod): boolean {
  const ends = (pod.spec.activeDeadlineSeconds ?? -1) >= 0;
  const bestEffort = qualityOfService(pod.spec) === "BestEffort";
  switch (scopeName) {
    case "Terminating":
      return ends;
    case "NotTerminating":
      return !ends;
    case "BestEffort":
      return bestEffort;
    case "NotBestEffort":
      return !bestEffort;
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(pod);
    case "PriorityClass":
      return matches(operator, values, pod.spec.priorityClassName || undefined);
    default:
      return false;
  }
}

function matches(operator: string, values: readonly string[], value: string | undefined): boolean {
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  if (operator === "In") return value !== undefined && values.includes(value);
  return value === undefined || !values.includes(value);
}

function reachesOtherNamespaces({ spec }: Pod): boolean {
  const terms = [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
  ]);
  return terms.some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}

const demanded = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/** `must specify limits.cpu for: web`: what a quota on such resources asks every container to say; undefined when all is said. */
export function missingAmounts(hard: Amounts, pod: Pod): string | undefined {
  if (Object.keys(pod.spec.resources ?? {}).length > 0) return undefined;
  const missing = new Map<string, Set<string>>();
  for (const { name, resources } of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
    for (const resource of demanded.filter((wanted) => hard[wanted] !== undefined)) {
      const [, kind = "requests", amount = resource] = /^(requests|limits)\.(.*)$/.exec(resource) ?? [];
      if (resources?.[kind === "limits" ? "limits" : "requests"]?.[amount] !== undefined) continue;
      missing.set(resource, (missing.get(resource) ?? new Set()).add(name));
    }
  }
  if (missing.size === 0) return undefined;
  const parts = [...missing].sort(([a], [b]) => (a < b ? -1 : 1));
  return `must specify ${parts.map(([resource, names]) => `${resource} for: ${[...names].sort().join(",")}`).join("; ")}`;
}
