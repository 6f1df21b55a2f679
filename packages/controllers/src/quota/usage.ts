import {
  type KubeObject,
  type PersistentVolumeClaim,
  type Pod,
  Quantity,
  type ResourceQuota,
  type Service,
} from "@dhow/kube";
import { isPodTerminal } from "../pods.ts";
import { podLimits, podRequests } from "../scheduler/resources.ts";
import { classOf } from "../volumes/match.ts";

/** Amounts by the name that a quota gives them. */
export type Usage = Map<string, Quantity>;

function add(usage: Usage, name: string, quantity: Quantity): void {
  const before = usage.get(name);
  usage.set(name, before ? before.add(quantity) : quantity);
}

const one = Quantity.parse("1");

function toQuantity(resource: string, amount: number): Quantity {
  if (resource === "cpu") return Quantity.ofMilli(amount);
  const bytes = resource === "memory" || resource.endsWith("storage");
  return bytes ? Quantity.ofBytes(amount) : Quantity.parse(String(amount));
}

/** What one pod uses (pkg/quota/v1/evaluator/core/pods.go). A pod that has ended uses nothing but its own count as an object. */
export function podUsage(pod: Pod): Usage {
  const usage: Usage = new Map([["count/pods", one]]);
  if (isPodTerminal(pod)) return usage;
  usage.set("pods", one);
  for (const [resource, amount] of Object.entries(podRequests(pod))) {
    const quantity = toQuantity(resource, amount);
    usage.set(`requests.${resource}`, quantity);
    if (resource === "cpu" || resource === "memory" || resource === "ephemeral-storage") usage.set(resource, quantity);
  }
  for (const [resource, amount] of Object.entries(podLimits(pod))) {
    usage.set(`limits.${resource}`, toQuantity(resource, amount));
  }
  return usage;
}

export function serviceUsage(service: Service): Usage {
  const usage: Usage = new Map([
    ["services", one],
    ["count/services", one],
  ]);
  const { type, ports = [], allocateLoadBalancerNodePorts } = service.spec ?? {};
  const count = Quantity.parse(String(ports.length));
  if (type === "NodePort") usage.set("services.nodeports", count);
  if (type === "LoadBalancer") {
    usage.set("services.loadbalancers", one);
    const allocated = ports.filter((port) => (port.nodePort ?? 0) > 0).length;
    const nodePorts = allocateLoadBalancerNodePorts === false ? Quantity.parse(String(allocated)) : count;
    usage.set("services.nodeports", nodePorts);
  }
  return usage;
}

export function claimUsage(claim: PersistentVolumeClaim): Usage {
  const usage: Usage = new Map([
    ["persistentvolumeclaims", one],
    ["count/persistentvolumeclaims", one],
  ]);
  const suffix = `${classOf(claim)}.storageclass.storage.k8s.io`;
  if (classOf(claim)) usage.set(`${suffix}/persistentvolumeclaims`, one);
  const storage = claim.spec?.resources?.requests?.["storage"];
  if (storage !== undefined) {
    usage.set("requests.storage", Quantity.parse(storage));
    if (classOf(claim)) usage.set(`${suffix}/requests.storage`, Quantity.parse(storage));
  }
  return usage;
}

function isBestEffort(pod: Pod): boolean {
  const amounts = [...Object.values(podRequests(pod)), ...Object.values(podLimits(pod))];
  return amounts.every((amount) => amount === 0);
}

/** Whether a pod falls under the scopes of a quota. */
export function inScope(quota: ResourceQuota, pod: Pod): boolean {
  const plain = (quota.spec?.scopes ?? []).map((scopeName) => ({
    scopeName,
    operator: "Exists",
    values: [] as string[],
  }));
  return [...plain, ...(quota.spec?.scopeSelector?.matchExpressions ?? [])].every(
    ({ scopeName, operator, values = [] }) => {
      switch (scopeName) {
        case "Terminating":
          return pod.spec.activeDeadlineSeconds !== undefined;
        case "NotTerminating":
          return pod.spec.activeDeadlineSeconds === undefined;
        case "BestEffort":
          return isBestEffort(pod);
        case "NotBestEffort":
          return !isBestEffort(pod);
        case "PriorityClass": {
          const name = pod.spec.priorityClassName;
          if (operator === "Exists") return Boolean(name);
          if (operator === "DoesNotExist") return !name;
          return operator === "In" ? values.includes(name ?? "") : !values.includes(name ?? "");
        }
        case "CrossNamespacePodAffinity":
          return crossesNamespaces(pod);
        default:
          return false;
      }
    },
  );
}

function crossesNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
    ].some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  );
}

/** The sum of what objects use, of the names that the quota limits. */
export function totalUsage(hard: Readonly<Record<string, string>>, parts: Iterable<Usage>): Record<string, string> {
  const sum: Usage = new Map();
  for (const part of parts) for (const [name, quantity] of part) if (name in hard) add(sum, name, quantity);
  return Object.fromEntries(Object.keys(hard).map((name) => [name, (sum.get(name) ?? Quantity.zero).toString()]));
}

/** The resource that a `count/…` name counts: `deployments.apps` → resource and group. */
export function countedResource(name: string): { resource: string; group: string } | undefined {
  const plain: Readonly<Record<string, string>> = {
    configmaps: "configmaps",
    secrets: "secrets",
    replicationcontrollers: "replicationcontrollers",
    resourcequotas: "resourcequotas",
  };
  const counted = name.startsWith("count/") ? name.slice("count/".length) : plain[name];
  if (counted === undefined) return undefined;
  const dot = counted.indexOf(".");
  return dot < 0
    ? { resource: counted, group: "" }
    : { resource: counted.slice(0, dot), group: counted.slice(dot + 1) };
}

export function countUsage(name: string, objects: readonly KubeObject[]): Usage {
  return new Map([[name, Quantity.parse(String(objects.length))]]);
}
