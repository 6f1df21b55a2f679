import type { NodeState } from "./cluster-state.ts";
import type { Filter, NodeCheck, Refusal, SchedulingWorld } from "./filter.ts";
import { interPodAffinity } from "./interpod-affinity.ts";
import { nodeFilters } from "./node-filters.ts";
import type { PodInfo } from "./pod-info.ts";
import { scores } from "./scores.ts";
import { topologySpread } from "./topology-spread.ts";
import { volumeBinding, volumeRestrictions } from "./volumes.ts";

/** In the order of the default profile (pkg/scheduler/apis/config/v1/default_plugins.go). */
const filters: readonly Filter[] = [
  ...nodeFilters,
  volumeRestrictions,
  volumeBinding,
  topologySpread,
  interPodAffinity,
];

/** Why a pod fits nowhere. */
export interface Diagnosis {
  readonly nodeCount: number;
  /** A reason that holds for all nodes alike. */
  readonly overall?: string;
  readonly refusals: ReadonlyMap<NodeState, Refusal>;
  /** The filters that refused: what changes about other things does not help this pod. */
  readonly filters: ReadonlySet<string>;
}

export type Decision = { readonly node: NodeState } | { readonly diagnosis: Diagnosis };

/** Checks of all filters for one pod; a text where one of them refuses every node. */
export function prepareChecks(
  info: PodInfo,
  world: SchedulingWorld,
): { checks: { name: string; check: NodeCheck }[] } | { refusedBy: string; reason: string } {
  const checks: { name: string; check: NodeCheck }[] = [];
  for (const filter of filters) {
    const check = filter.prepare(info, world);
    if (typeof check === "string") return { refusedBy: filter.name, reason: check };
    if (check) checks.push({ name: filter.name, check });
  }
  return { checks };
}

/** Chooses the best of the nodes that will do; among equals by chance. */
export function decide(info: PodInfo, world: SchedulingWorld, random: () => number = Math.random): Decision {
  const nodes = world.cluster.nodes();
  const prepared = prepareChecks(info, world);
  if ("reason" in prepared) {
    const { reason, refusedBy } = prepared;
    const diagnosis = { nodeCount: nodes.length, overall: reason, refusals: new Map(), filters: new Set([refusedBy]) };
    return { diagnosis };
  }
  const feasible: NodeState[] = [];
  const refusals = new Map<NodeState, Refusal>();
  const refusing = new Set<string>();
  for (const node of nodes) {
    const refusal = firstRefusal(prepared.checks, node, refusing);
    if (refusal) refusals.set(node, refusal);
    else feasible.push(node);
  }
  if (feasible.length === 0) return { diagnosis: { nodeCount: nodes.length, refusals, filters: refusing } };
  // A pod that made room for itself takes that room.
  const nominated = feasible.find((node) => node.name === world.cluster.nominated.get(info.key)?.node);
  return { node: nominated ?? best(info, feasible, world, random) };
}

function firstRefusal(
  checks: readonly { name: string; check: NodeCheck }[],
  node: NodeState,
  refusing: Set<string>,
): Refusal | undefined {
  for (const { name, check } of checks) {
    const refusal = check(node);
    if (!refusal) continue;
    refusing.add(name);
    return refusal;
  }
  return undefined;
}

function best(info: PodInfo, feasible: readonly NodeState[], world: SchedulingWorld, random: () => number): NodeState {
  const totals = feasible.map(() => 0);
  if (feasible.length > 1) {
    for (const { score, weight } of scores) {
      const values = score(info, feasible, world);
      values?.forEach((value, index) => (totals[index] = (totals[index] ?? 0) + value * weight));
    }
  }
  const most = Math.max(...totals);
  const equals = feasible.filter((_, index) => totals[index] === most);
  return equals[Math.floor(random() * equals.length)] as NodeState;
}

/** The text of a FailedScheduling event (pkg/scheduler/framework/types.go, FitError). `afterwards` is what preemption says. */
export function explain(diagnosis: Diagnosis, afterwards = ""): string {
  if (diagnosis.nodeCount === 0) return "no nodes available to schedule pods";
  const counts = histogram([...diagnosis.refusals.values()].flatMap(({ reasons }) => reasons));
  const reasons = diagnosis.overall ?? counts;
  return `0/${diagnosis.nodeCount} nodes are available:${reasons ? ` ${reasons}.` : ""}${afterwards ? ` ${afterwards}` : ""}`;
}

/** `1 Insufficient cpu, 2 node(s) were unschedulable`. */
export function histogram(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
