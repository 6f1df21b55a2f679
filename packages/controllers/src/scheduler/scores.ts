import type { NodeState } from "./cluster-state.ts";
import { normalized, type Score } from "./filter.ts";
import { interPodAffinityScore } from "./interpod-affinity.ts";
import { matchesNodeTerms, tolerates } from "./node-filters.ts";
import type { PodInfo } from "./pod-info.ts";
import { topologySpreadScore } from "./topology-spread.ts";

const scored = ["cpu", "memory"] as const;

/** How full a node would be with the pod, by resource: 0 to 1. */
function fill(info: PodInfo, node: NodeState, amountsOf: "score" | "requests"): number[] {
  return scored.map((resource) => {
    const allocatable = node.allocatable[resource] ?? 0;
    if (allocatable === 0) return 1;
    const [own, others] =
      amountsOf === "score"
        ? [info.scoreRequests[resource], node.scoreRequested[resource]]
        : [info.requests[resource], node.requested[resource]];
    return Math.min(((own ?? 0) + (others ?? 0)) / allocatable, 1);
  });
}

/** The emptier the better (noderesources/least_allocated.go). */
const leastAllocated: Score = {
  name: "NodeResourcesFit",
  weight: 1,
  score: (info, nodes) =>
    nodes.map((node) => {
      const shares = fill(info, node, "score");
      return Math.floor(shares.reduce((sum, share) => sum + Math.floor((1 - share) * 100), 0) / shares.length);
    }),
};

/** The more evenly used the better (noderesources/balanced_allocation.go). */
const balancedAllocation: Score = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  score: (info, nodes) => {
    if (scored.every((resource) => (info.requests[resource] ?? 0) === 0)) return undefined;
    return nodes.map((node) => {
      const [cpu = 0, memory = 0] = fill(info, node, "requests");
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
    });
  },
};

const taintToleration: Score = {
  name: "TaintToleration",
  weight: 3,
  score: ({ pod }, nodes) => {
    const tolerations = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === "PreferNoSchedule");
    const raw = nodes.map(({ node }) => {
      const taints = (node?.spec?.taints ?? []).filter((taint) => taint.effect === "PreferNoSchedule");
      return taints.filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint))).length;
    });
    return raw.every((count) => count === 0) ? undefined : normalized(raw, true);
  },
};

const nodeAffinity: Score = {
  name: "NodeAffinity",
  weight: 2,
  score: ({ pod }, nodes) => {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    const raw = nodes.map((node) =>
      preferred.reduce(
        (sum, { preference, weight }) => sum + (matchesNodeTerms([preference], node.labels, node.name) ? weight : 0),
        0,
      ),
    );
    return normalized(raw);
  },
};

/** With the weights of the default profile (pkg/scheduler/apis/config/v1/default_plugins.go); image locality does not matter on one machine. */
export const scores: readonly Score[] = [
  taintToleration,
  nodeAffinity,
  leastAllocated,
  balancedAllocation,
  topologySpreadScore,
  interPodAffinityScore,
];
