import type { LabelSelector, Pod, PodAffinityTerm } from "@dhow/kube";
import { keyOf, namespaceOf, uidOf } from "../objects.ts";
import { labelSelectorMatcher, type LabelMatcher, type Labels } from "../selectors.ts";
import { type Amounts, podRequests, podRequestsForScores } from "./resources.ts";

/** An affinity term, ready to be asked. */
export interface Term {
  readonly topologyKey: string;
  readonly weight: number;
  readonly matches: (pod: PodInfo, namespaceLabels: (namespace: string) => Labels) => boolean;
}

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** What scheduling needs to know of a pod, worked out once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly requests: Amounts;
  readonly scoreRequests: Amounts;
  readonly ports: readonly HostPort[];
  readonly affinity: readonly Term[];
  readonly antiAffinity: readonly Term[];
  readonly preferredAffinity: readonly Term[];
  readonly preferredAntiAffinity: readonly Term[];
}

export function podInfo(pod: Pod): PodInfo {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const required = (terms: readonly PodAffinityTerm[] | undefined) => (terms ?? []).map((term) => toTerm(pod, term, 0));
  const preferred = (terms: readonly { podAffinityTerm: PodAffinityTerm; weight: number }[] | undefined) =>
    (terms ?? []).map(({ podAffinityTerm, weight }) => toTerm(pod, podAffinityTerm, weight));
  return {
    pod,
    key: keyOf(pod),
    uid: uidOf(pod),
    namespace: namespaceOf(pod),
    labels: pod.metadata.labels ?? {},
    priority: pod.spec.priority ?? 0,
    requests: podRequests(pod),
    scoreRequests: podRequestsForScores(pod),
    ports: hostPorts(pod),
    affinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

function hostPorts(pod: Pod): HostPort[] {
  const containers = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always"),
  ];
  return containers
    .flatMap((container) => container.ports ?? [])
    .filter((port) => (port.hostPort ?? 0) > 0)
    .map((port) => ({ ip: port.hostIP || "0.0.0.0", protocol: port.protocol ?? "TCP", port: port.hostPort ?? 0 }));
}

/** The selector of a term or constraint with the pod's own values of `matchLabelKeys` and `mismatchLabelKeys` in it. */
export function withLabelKeys(
  selector: LabelSelector | undefined,
  labels: Labels,
  matchLabelKeys: readonly string[] | undefined,
  mismatchLabelKeys?: readonly string[],
): LabelSelector | undefined {
  if (!selector) return undefined;
  const requirement = (operator: "In" | "NotIn") => (key: string) =>
    labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }];
  const more = [
    ...(matchLabelKeys ?? []).flatMap(requirement("In")),
    ...(mismatchLabelKeys ?? []).flatMap(requirement("NotIn")),
  ];
  return more.length === 0
    ? selector
    : { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...more] };
}

function toTerm(pod: Pod, term: PodAffinityTerm, weight: number): Term {
  const selector = withLabelKeys(
    term.labelSelector,
    pod.metadata.labels ?? {},
    term.matchLabelKeys,
    term.mismatchLabelKeys,
  );
  const labelsMatch: LabelMatcher = labelSelectorMatcher(selector);
  const named = new Set(term.namespaces ?? []);
  const selected = term.namespaceSelector && labelSelectorMatcher(term.namespaceSelector);
  if (named.size === 0 && !selected) named.add(namespaceOf(pod));
  return {
    topologyKey: term.topologyKey,
    weight,
    matches: (other, namespaceLabels) =>
      (named.has(other.namespace) || (selected?.(namespaceLabels(other.namespace)) ?? false)) &&
      labelsMatch(other.labels),
  };
}
