import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from "@dhow/kube";
import { nameOf } from "../objects.ts";
import type { Labels } from "../selectors.ts";
import type { NodeState } from "./cluster-state.ts";
import { type Filter, never, type Refusal, unlessPreempted } from "./filter.ts";
import type { HostPort } from "./pod-info.ts";

/** Whether a toleration lets a pod stand a taint (k8s.io/api/core/v1, ToleratesTaint). */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  if (toleration.operator === "Gt" || toleration.operator === "Lt") {
    const [value, than] = [Number(taint.value), Number(toleration.value)];
    return toleration.operator === "Gt" ? value > than : value < than;
  }
  return (toleration.value ?? "") === (taint.value ?? "");
}

export function toleratesAll(tolerations: readonly Toleration[], taints: readonly Taint[]): boolean {
  return taints.every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
}

/** The taints of a node that keep pods away which do not tolerate them. */
export function repellingTaints(node: Node): Taint[] {
  return (node.spec?.taints ?? []).filter((taint) => taint.effect !== "PreferNoSchedule");
}

function matchesRequirement(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const { operator, values = [] } = requirement;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default: {
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      return operator === "Gt" ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
    }
  }
}

/** Whether a node is selected by one of several terms; a term without requirements selects nothing. */
export function matchesNodeTerms(terms: readonly NodeSelectorTerm[], labels: Labels, nodeName: string): boolean {
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length === 0 && matchFields.length === 0) return false;
    return (
      matchExpressions.every((requirement) => matchesRequirement(requirement, labels[requirement.key])) &&
      matchFields.every((field) => matchesRequirement(field, field.key === "metadata.name" ? nodeName : undefined))
    );
  });
}

/** Node selector and required node affinity together. */
export function wantsNode(pod: Pod, labels: Labels, nodeName: string): boolean {
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || matchesNodeTerms(required.nodeSelectorTerms, labels, nodeName);
}

const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

const nodeUnschedulable: Filter = {
  name: "NodeUnschedulable",
  prepare: ({ pod }) => {
    if (toleratesAll(pod.spec.tolerations ?? [], [unschedulableTaint])) return undefined;
    return ({ node }) => (node?.spec?.unschedulable ? never("node(s) were unschedulable") : undefined);
  },
};

const nodeName: Filter = {
  name: "NodeName",
  prepare: ({ pod }) => {
    const wanted = pod.spec.nodeName;
    if (!wanted) return undefined;
    return ({ name }) => (name === wanted ? undefined : never("node(s) didn't match the requested node name"));
  },
};

const taintToleration: Filter = {
  name: "TaintToleration",
  prepare: ({ pod }) => {
    const tolerations = pod.spec.tolerations ?? [];
    return ({ node }) =>
      node && !toleratesAll(tolerations, repellingTaints(node)) ? never("node(s) had untolerated taint(s)") : undefined;
  },
};

const nodeAffinity: Filter = {
  name: "NodeAffinity",
  prepare: ({ pod }) => {
    if (!pod.spec.nodeSelector && !pod.spec.affinity?.nodeAffinity) return undefined;
    return ({ labels, node, name }) =>
      wantsNode(pod, labels, node ? nameOf(node) : name)
        ? undefined
        : never("node(s) didn't match Pod's node affinity/selector");
  },
};

function conflicts(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0";
  return a.port === b.port && a.protocol === b.protocol && sameAddress;
}

const nodePorts: Filter = {
  name: "NodePorts",
  prepare: ({ ports, key }) => {
    if (ports.length === 0) return undefined;
    return (node) => {
      for (const other of node.pods.values()) {
        if (other.key === key || other.ports.length === 0) continue;
        if (ports.some((port) => other.ports.some((taken) => conflicts(port, taken)))) {
          return unlessPreempted("node(s) didn't have free ports for the requested pod ports");
        }
      }
      return undefined;
    };
  },
};

const nodeResourcesFit: Filter = {
  name: "NodeResourcesFit",
  prepare: (info, { cluster }) => {
    const wanted = Object.entries(info.requests).filter(([, amount]) => amount > 0);
    return (node) => {
      const promised = cluster.nominated.size === 0 ? undefined : cluster.nominatedRequests(node.name, info);
      return lacking(node, wanted, promised);
    };
  },
};

function lacking(
  node: NodeState,
  wanted: readonly (readonly [string, number])[],
  promised: Readonly<Record<string, number>> | undefined,
): Refusal | undefined {
  let reasons: string[] | undefined;
  let preemptable = true;
  if (node.pods.size + (promised?.["pods"] ?? 0) + 1 > (node.allocatable["pods"] ?? 0)) reasons = ["Too many pods"];
  for (const [resource, amount] of wanted) {
    const allocatable = node.allocatable[resource] ?? 0;
    if (amount <= allocatable - (node.requested[resource] ?? 0) - (promised?.[resource] ?? 0)) continue;
    (reasons ??= []).push(`Insufficient ${resource}`);
    if (amount > allocatable) preemptable = false;
  }
  return reasons && { reasons, preemptable };
}

/** In the order in which the default profile asks them; the first refusal counts. */
export const nodeFilters: readonly Filter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
];
