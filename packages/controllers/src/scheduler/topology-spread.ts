import type { TopologySpreadConstraint } from "@dhow/kube";
import { labelSelectorMatcher, type Labels } from "../selectors.ts";
import type { NodeState } from "./cluster-state.ts";
import { type Filter, never, type Score, type SchedulingWorld, unlessPreempted } from "./filter.ts";
import { repellingTaints, toleratesAll, wantsNode } from "./node-filters.ts";
import { type PodInfo, withLabelKeys } from "./pod-info.ts";

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly matches: (labels: Labels) => boolean;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** What pods get that ask for no spreading (pkg/scheduler/framework/plugins/podtopologyspread/plugin.go, systemDefaultConstraints). */
const clusterDefaults = [
  { topologyKey: "kubernetes.io/hostname", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5 },
];

function toConstraint(info: PodInfo, constraint: TopologySpreadConstraint): Constraint {
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    matches: labelSelectorMatcher(withLabelKeys(constraint.labelSelector, info.labels, constraint.matchLabelKeys)),
    honorsAffinity: constraint.nodeAffinityPolicy !== "Ignore",
    honorsTaints: constraint.nodeTaintsPolicy === "Honor",
  };
}

function constraintsOf(info: PodInfo, whenUnsatisfiable: string): Constraint[] {
  return (info.pod.spec.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => toConstraint(info, constraint));
}

/** Whether a node counts as a place for this pod at all. */
function counts(info: PodInfo, constraint: Constraint, node: NodeState): boolean {
  if (constraint.honorsAffinity && !wantsNode(info.pod, node.labels, node.name)) return false;
  const tolerations = info.pod.spec.tolerations ?? [];
  return !constraint.honorsTaints || !node.node || toleratesAll(tolerations, repellingTaints(node.node));
}

function matchingPods(info: PodInfo, constraint: Constraint, node: NodeState): number {
  let count = 0;
  for (const other of node.pods.values()) {
    if (other.namespace !== info.namespace || other.key === info.key) continue;
    if (other.pod.metadata.deletionTimestamp === undefined && constraint.matches(other.labels)) count++;
  }
  return count;
}

/** Matching pods in each domain of a constraint, over the nodes that `eligible` lets count. */
function countDomains(
  info: PodInfo,
  constraint: Constraint,
  nodes: readonly NodeState[],
  eligible: (node: NodeState) => boolean,
): Map<string, number> {
  const domains = new Map<string, number>();
  for (const node of nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined || !eligible(node) || !counts(info, constraint, node)) continue;
    domains.set(value, (domains.get(value) ?? 0) + matchingPods(info, constraint, node));
  }
  return domains;
}

/** Constraints that must hold (filtering.go). */
export const topologySpread: Filter = {
  name: "PodTopologySpread",
  prepare: (info, world) => {
    const constraints = constraintsOf(info, "DoNotSchedule");
    if (constraints.length === 0) return undefined;
    const nodes = world.cluster.nodes();
    const labelled = (node: NodeState) =>
      constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);
    const prepared = constraints.map((constraint) => {
      const domains = countDomains(info, constraint, nodes, labelled);
      const least = domains.size < constraint.minDomains ? 0 : Math.min(...domains.values());
      return {
        constraint,
        domains,
        least: Number.isFinite(least) ? least : 0,
        self: Number(constraint.matches(info.labels)),
      };
    });
    return (node) => {
      for (const { constraint, domains, least, self } of prepared) {
        const value = node.labels[constraint.topologyKey];
        if (value === undefined) {
          return never("node(s) didn't match pod topology spread constraints (missing required label)");
        }
        if ((domains.get(value) ?? 0) + self - least > constraint.maxSkew) {
          return unlessPreempted("node(s) didn't match pod topology spread constraints");
        }
      }
      return undefined;
    };
  },
};

function softConstraints(info: PodInfo, world: SchedulingWorld): { constraints: Constraint[]; all: boolean } {
  if ((info.pod.spec.topologySpreadConstraints ?? []).length > 0) {
    return { constraints: constraintsOf(info, "ScheduleAnyway"), all: true };
  }
  const matches = world.belongsTogether(info);
  if (!matches) return { constraints: [], all: false };
  const constraints = clusterDefaults.map((constraint) => ({
    ...constraint,
    minDomains: 1,
    matches,
    honorsAffinity: true,
    honorsTaints: false,
  }));
  return { constraints, all: false };
}

/** Constraints that should hold, and the cluster's own where a pod has none: fewer pods of its kind are better (scoring.go). */
export const topologySpreadScore: Score = {
  name: "PodTopologySpread",
  weight: 2,
  score: (info, nodes, world) => {
    const { constraints, all } = softConstraints(info, world);
    if (constraints.length === 0) return undefined;
    const ignored = (node: NodeState) =>
      all && constraints.some(({ topologyKey }) => node.labels[topologyKey] === undefined);
    const prepared = constraints.map((constraint) => {
      const domains = countDomains(info, constraint, world.cluster.nodes(), (node) => !ignored(node));
      const size = new Set(
        nodes.map((node) => node.labels[constraint.topologyKey]).filter((value) => value !== undefined),
      ).size;
      return { constraint, domains, weight: Math.log(size + 2) };
    });
    const raw = nodes.map((node) => {
      if (ignored(node)) return undefined;
      let total = 0;
      for (const { constraint, domains, weight } of prepared) {
        const value = node.labels[constraint.topologyKey];
        if (value !== undefined) total += (domains.get(value) ?? 0) * weight + (constraint.maxSkew - 1);
      }
      return Math.round(total);
    });
    const known = raw.filter((value) => value !== undefined);
    const most = Math.max(...known);
    const least = Math.min(...known);
    return raw.map((value) => {
      if (value === undefined) return 0;
      return most === 0 ? 100 : Math.floor((100 * (most + least - value)) / most);
    });
  },
};
