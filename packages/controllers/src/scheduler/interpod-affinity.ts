import type { NodeState } from "./cluster-state.ts";
import { type Filter, never, type NodeCheck, type SchedulingWorld, type Score, unlessPreempted } from "./filter.ts";
import type { PodInfo, Term } from "./pod-info.ts";

/** Counts of matching pods by topology: `key` + NUL + value. */
type Counts = Map<string, number>;

function bump(counts: Counts, term: Term, node: NodeState, by: number): void {
  const value = node.labels[term.topologyKey];
  if (value === undefined || by === 0) return;
  const pair = `${term.topologyKey}\0${value}`;
  counts.set(pair, (counts.get(pair) ?? 0) + by);
}

function countIn(counts: Counts, term: Term, node: NodeState): number {
  const value = node.labels[term.topologyKey];
  return value === undefined ? 0 : (counts.get(`${term.topologyKey}\0${value}`) ?? 0);
}

/** Required affinity between pods, in both directions (pkg/scheduler/framework/plugins/interpodaffinity/filtering.go). */
export const interPodAffinity: Filter = {
  name: "InterPodAffinity",
  prepare: (info, world) => {
    const refusedBy: Counts = new Map();
    const wanted: Counts = new Map();
    const unwanted: Counts = new Map();
    const asks = info.affinity.length + info.antiAffinity.length > 0;
    for (const node of world.cluster.nodes()) {
      for (const other of node.pods.values()) {
        if (other.key === info.key) continue;
        for (const term of other.antiAffinity) {
          if (term.matches(info, world.namespaceLabels)) bump(refusedBy, term, node, 1);
        }
        if (!asks) continue;
        // A pod counts towards affinity only if it matches all terms.
        if (info.affinity.length > 0 && info.affinity.every((term) => term.matches(other, world.namespaceLabels))) {
          for (const term of info.affinity) bump(wanted, term, node, 1);
        }
        for (const term of info.antiAffinity) {
          if (term.matches(other, world.namespaceLabels)) bump(unwanted, term, node, 1);
        }
      }
    }
    if (refusedBy.size === 0 && !asks) return undefined;
    return check(info, world, { refusedBy, wanted, unwanted });
  },
};

function check(
  info: PodInfo,
  world: SchedulingWorld,
  { refusedBy, wanted, unwanted }: { refusedBy: Counts; wanted: Counts; unwanted: Counts },
): NodeCheck {
  // The first pod of a group that wants to be together may go anywhere.
  const first = wanted.size === 0 && info.affinity.every((term) => term.matches(info, world.namespaceLabels));
  return (node) => {
    const labelled = info.affinity.every((term) => node.labels[term.topologyKey] !== undefined);
    const together = info.affinity.every((term) => countIn(wanted, term, node) > 0);
    if (info.affinity.length > 0 && !(labelled && (together || first))) {
      return never("node(s) didn't match pod affinity rules");
    }
    if (info.antiAffinity.some((term) => countIn(unwanted, term, node) > 0)) {
      return unlessPreempted("node(s) didn't match pod anti-affinity rules");
    }
    for (const [key, value] of Object.entries(node.labels)) {
      if (refusedBy.size > 0 && refusedBy.has(`${key}\0${value}`)) {
        return unlessPreempted("node(s) didn't satisfy existing pods anti-affinity rules");
      }
    }
    return undefined;
  };
}

/** Preferred affinity between pods, in both directions; a required affinity of another pod counts 1 (scoring.go, hardPodAffinityWeight). */
export const interPodAffinityScore: Score = {
  name: "InterPodAffinity",
  weight: 2,
  score: (info, nodes, world) => {
    const weights: Counts = new Map();
    const asks = info.preferredAffinity.length + info.preferredAntiAffinity.length > 0;
    for (const node of world.cluster.nodes()) {
      for (const other of node.pods.values()) {
        const add = (terms: readonly Term[], of: PodInfo, sign: number, required = false) => {
          for (const term of terms) {
            if (term.matches(of, world.namespaceLabels)) bump(weights, term, node, sign * (required ? 1 : term.weight));
          }
        };
        if (asks) {
          add(info.preferredAffinity, other, 1);
          add(info.preferredAntiAffinity, other, -1);
        }
        add(other.affinity, info, 1, true);
        add(other.preferredAffinity, info, 1);
        add(other.preferredAntiAffinity, info, -1);
      }
    }
    if (weights.size === 0) return undefined;
    const raw = nodes.map((node) => {
      let total = 0;
      for (const [key, value] of Object.entries(node.labels)) total += weights.get(`${key}\0${value}`) ?? 0;
      return total;
    });
    const least = Math.min(...raw);
    const span = Math.max(...raw) - least;
    return raw.map((value) => (span === 0 ? 0 : Math.floor((100 * (value - least)) / span)));
  },
};
