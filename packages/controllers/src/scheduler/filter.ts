import type { Labels } from "../selectors.ts";
import type { ClusterState, NodeState } from "./cluster-state.ts";
import type { PodInfo } from "./pod-info.ts";
import type { VolumeView } from "./volume-view.ts";

/** Why a pod cannot be on a node. */
export interface Refusal {
  readonly reasons: readonly string[];
  /** Whether it could be, if other pods went away. */
  readonly preemptable: boolean;
}

/** What filters and scores look at. */
export interface SchedulingWorld {
  readonly cluster: ClusterState;
  readonly volumes: VolumeView;
  readonly namespaceLabels: (namespace: string) => Labels;
  /** A selector of the pods that belong together with this one: its Services and its owner. */
  readonly belongsTogether: (info: PodInfo) => ((labels: Labels) => boolean) | undefined;
}

export type NodeCheck = (node: NodeState) => Refusal | undefined;

/** Looks at the pod once, then at each node. Without a check every node will do; a text says that none will. */
export interface Filter {
  readonly name: string;
  readonly prepare: (info: PodInfo, world: SchedulingWorld) => NodeCheck | string | undefined;
}

export interface Score {
  readonly name: string;
  readonly weight: number;
  /** Scores of the nodes in their order, from 0 to 100; undefined where it makes no difference. */
  readonly score: (info: PodInfo, nodes: readonly NodeState[], world: SchedulingWorld) => readonly number[] | undefined;
}

export const never = (reason: string): Refusal => ({ reasons: [reason], preemptable: false });
export const unlessPreempted = (reason: string): Refusal => ({ reasons: [reason], preemptable: true });

/** Brings raw scores to 0..100 by the largest (helper.DefaultNormalizeScore). */
export function normalized(raw: readonly number[], reverse = false): number[] {
  const most = Math.max(...raw, 0);
  return raw.map((value) => {
    if (most === 0) return reverse ? 100 : 0;
    const share = Math.floor((value * 100) / most);
    return reverse ? 100 - share : share;
  });
}
