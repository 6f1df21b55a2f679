import {
  type Namespace,
  type NetworkPolicy,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  selectorMatcher,
} from "@dhow/kube";
import { addressToNumber } from "../sandbox/addresses.ts";
import { type AddressSpan, spanOf, subtract, unite } from "./ranges.ts";

/** A pod as policies see it. */
export interface PolicyPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly port: number }[];
  /** For what answers like a pod but is none, such as the cluster's DNS: may be allowed by name, is never isolated. */
  readonly neverIsolated?: boolean;
}

export type Protocol = "tcp" | "udp" | "sctp";

export interface PortSpan {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** What one rule of one policy allows. */
export interface PolicyRule {
  /** The pods that the policy selects. */
  readonly pods: readonly string[];
  /** The other end; undefined for anybody. */
  readonly peers: readonly AddressSpan[] | undefined;
  /** Undefined for any port and protocol. */
  readonly ports: readonly PortSpan[] | undefined;
  /** Named ports, which may be another number in each pod: the destination with its port. */
  readonly namedPorts: readonly { readonly address: string; readonly protocol: Protocol; readonly port: number }[];
}

export interface PolicyRules {
  /** Addresses of the pods that only accept what a rule allows. */
  readonly isolatedIngress: readonly string[];
  /** Addresses of the pods that only reach what a rule allows. */
  readonly isolatedEgress: readonly string[];
  readonly ingress: readonly PolicyRule[];
  readonly egress: readonly PolicyRule[];
}

interface Rule {
  readonly ports?: readonly NetworkPolicyPort[];
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
}

/** From NetworkPolicies and the pods of all namespaces to rules; pure (networking/v1 NetworkPolicySpec says what each field means). */
export function policyRules(
  policies: readonly NetworkPolicy[],
  pods: readonly PolicyPod[],
  namespaces: readonly Namespace[],
): PolicyRules {
  const isolatedIngress = new Set<string>();
  const isolatedEgress = new Set<string>();
  const ingress: PolicyRule[] = [];
  const egress: PolicyRule[] = [];
  for (const { metadata, spec } of policies) {
    const matches = selectorMatcher(spec.podSelector ?? {});
    const selected = pods.filter(
      (pod) => !pod.neverIsolated && pod.namespace === metadata.namespace && matches(pod.labels),
    );
    if (selected.length === 0) continue;
    const scope: Scope = { selected, pods, namespaces, namespace: metadata.namespace ?? "" };
    const types = policyTypes(spec.policyTypes, spec.egress !== undefined);
    if (types.includes("Ingress")) {
      for (const { address } of selected) isolatedIngress.add(address);
      const rules = (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ...(ports ? { ports } : {}) }));
      ingress.push(...rules.flatMap((rule) => compile(rule, scope, "ingress")));
    }
    if (types.includes("Egress")) {
      for (const { address } of selected) isolatedEgress.add(address);
      const rules = (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ...(ports ? { ports } : {}) }));
      egress.push(...rules.flatMap((rule) => compile(rule, scope, "egress")));
    }
  }
  return { isolatedIngress: [...isolatedIngress], isolatedEgress: [...isolatedEgress], ingress, egress };
}

function policyTypes(types: readonly string[] | undefined, hasEgress: boolean): readonly string[] {
  if (types && types.length > 0) return types;
  return hasEgress ? ["Ingress", "Egress"] : ["Ingress"];
}

interface Scope {
  readonly selected: readonly PolicyPod[];
  readonly pods: readonly PolicyPod[];
  readonly namespaces: readonly Namespace[];
  readonly namespace: string;
}

/** Nothing where the rule allows nobody. */
function compile(rule: Rule, scope: Scope, direction: "ingress" | "egress"): PolicyRule[] {
  const peers =
    rule.peers && rule.peers.length > 0 ? unite(rule.peers.flatMap((peer) => peerSpans(peer, scope))) : undefined;
  if (peers?.length === 0) return [];
  const destinations = direction === "ingress" ? scope.selected : scope.pods;
  const ports = rule.ports && rule.ports.length > 0 ? rule.ports : undefined;
  const named = (ports ?? []).flatMap((port) => namedPorts(port, destinations));
  const numbers = ports?.filter(({ port }) => typeof port !== "string").map(portSpan);
  if (numbers?.length === 0 && named.length === 0) return [];
  return [{ pods: scope.selected.map(({ address }) => address), peers, ports: numbers, namedPorts: named }];
}

function peerSpans(peer: NetworkPolicyPeer, { pods, namespaces, namespace }: Scope): AddressSpan[] {
  if (peer.ipBlock) return subtract(spanOf(peer.ipBlock.cidr), (peer.ipBlock.except ?? []).map(spanOf));
  const podMatches = selectorMatcher(peer.podSelector ?? {});
  const inNamespaces = namespaceSet(peer, namespaces, namespace);
  return pods
    .filter((pod) => inNamespaces.has(pod.namespace) && podMatches(pod.labels))
    .map(({ address }) => ({ first: addressToNumber(address), last: addressToNumber(address) }));
}

function namespaceSet(peer: NetworkPolicyPeer, namespaces: readonly Namespace[], own: string): ReadonlySet<string> {
  if (!peer.namespaceSelector) return new Set([own]);
  const matches = selectorMatcher(peer.namespaceSelector);
  return new Set(
    namespaces.filter(({ metadata }) => matches(metadata.labels)).map(({ metadata }) => metadata.name ?? ""),
  );
}

function portSpan({ port, endPort, protocol }: NetworkPolicyPort): PortSpan {
  const number = typeof port === "number" ? port : undefined;
  return { protocol: protocolOf(protocol), first: number ?? 0, last: endPort ?? number ?? 65_535 };
}

function namedPorts({ port, protocol }: NetworkPolicyPort, destinations: readonly PolicyPod[]) {
  const wanted = protocolOf(protocol);
  return destinations.flatMap((pod) =>
    pod.ports
      .filter((candidate) => candidate.name === port && candidate.protocol === wanted)
      .map((candidate) => ({ address: pod.address, protocol: wanted, port: candidate.port })),
  );
}

export function protocolOf(protocol: string | undefined): Protocol {
  if (protocol === "UDP") return "udp";
  return protocol === "SCTP" ? "sctp" : "tcp";
}

/** Whether the rules let `from` open a connection to `to`: what the kernel decides, said once more for tests and explanations. */
export function allows(rules: PolicyRules, from: string, to: string, protocol: Protocol, port: number): boolean {
  if (from === to) return true;
  const holds = (rule: PolicyRule, pod: string, peer: number) =>
    rule.pods.includes(pod) &&
    (rule.peers === undefined || rule.peers.some((span) => span.first <= peer && peer <= span.last)) &&
    (rule.ports === undefined ||
      rule.ports.some((span) => span.protocol === protocol && span.first <= port && port <= span.last) ||
      rule.namedPorts.some((named) => named.address === to && named.protocol === protocol && named.port === port));
  const leaves =
    !rules.isolatedEgress.includes(from) || rules.egress.some((rule) => holds(rule, from, addressToNumber(to)));
  const enters =
    !rules.isolatedIngress.includes(to) || rules.ingress.some((rule) => holds(rule, to, addressToNumber(from)));
  return leaves && enters;
}
