import { BlockList, isIP } from "node:net";
import {
  type FieldFault,
  fieldFault,
  type IPBlock,
  type NetworkPolicy,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { selectorFaults } from "../validation/metadata.ts";
import { checkPortName, checkPortNumber } from "../validation/names.ts";
import { isNetwork, networkMessage } from "../validation/networks.ts";

// pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation/validation.go

const { forbidden, invalid, notSupported, required } = fieldFault;

export const networkPolicies: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const { spec } = object as NetworkPolicy;
    if (!spec) return;
    spec.podSelector ??= {};
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= "TCP";
    }
    if (spec.policyTypes?.length) return;
    spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: (object) => [...policyFaults(object as NetworkPolicy)],
};

function* policyFaults({ spec }: NetworkPolicy): Generator<FieldFault> {
  yield* selectorFaults(spec?.podSelector, "spec.podSelector");
  for (const [index, rule] of (spec?.ingress ?? []).entries()) {
    yield* ruleFaults(rule.ports, rule.from, `spec.ingress[${index}]`, "from");
  }
  for (const [index, rule] of (spec?.egress ?? []).entries()) {
    yield* ruleFaults(rule.ports, rule.to, `spec.egress[${index}]`, "to");
  }
  const types = spec?.policyTypes ?? [];
  if (types.length > 2) {
    yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes");
    return;
  }
  for (const [index, type] of types.entries()) {
    if (type !== "Ingress" && type !== "Egress")
      yield notSupported(`spec.policyTypes[${index}]`, type, ["Ingress", "Egress"]);
  }
}

function* ruleFaults(
  ports: readonly NetworkPolicyPort[] | undefined,
  peers: readonly NetworkPolicyPeer[] | undefined,
  at: string,
  field: string,
): Generator<FieldFault> {
  for (const [index, port] of (ports ?? []).entries()) yield* portFaults(port, `${at}.ports[${index}]`);
  for (const [index, peer] of (peers ?? []).entries()) yield* peerFaults(peer, `${at}.${field}[${index}]`);
}

function* portFaults({ endPort, port, protocol }: NetworkPolicyPort, at: string): Generator<FieldFault> {
  const protocols = ["TCP", "UDP", "SCTP"];
  if (protocol && !protocols.includes(protocol)) yield notSupported(`${at}.protocol`, protocol, protocols);
  if (port === undefined) {
    if (endPort !== undefined)
      yield invalid(`${at}.endPort`, endPort, "may not be specified when `port` is not specified");
  } else if (typeof port === "string") {
    if (endPort !== undefined)
      yield invalid(`${at}.endPort`, endPort, "may not be specified when `port` is non-numeric");
    for (const message of checkPortName(port)) yield invalid(`${at}.port`, port, message);
  } else {
    for (const message of checkPortNumber(port)) yield invalid(`${at}.port`, port, message);
    if (endPort === undefined) return;
    if (endPort < port) yield invalid(`${at}.endPort`, port, "must be greater than or equal to `port`");
    for (const message of checkPortNumber(endPort)) yield invalid(`${at}.endPort`, endPort, message);
  }
}

function* peerFaults(peer: NetworkPolicyPeer, at: string): Generator<FieldFault> {
  yield* selectorFaults(peer.podSelector, `${at}.podSelector`);
  yield* selectorFaults(peer.namespaceSelector, `${at}.namespaceSelector`);
  if (peer.ipBlock) yield* blockFaults(peer.ipBlock, `${at}.ipBlock`);
  if (!peer.podSelector && !peer.namespaceSelector && !peer.ipBlock) yield required(at, "must specify a peer");
  else if (peer.ipBlock && (peer.podSelector || peer.namespaceSelector)) {
    yield forbidden(at, "may not specify both ipBlock and another peer");
  }
}

function* blockFaults(block: IPBlock, at: string): Generator<FieldFault> {
  if (!block.cidr) {
    yield required(`${at}.cidr`);
    return;
  }
  const isGood = isNetwork(block.cidr);
  if (!isGood) yield invalid(`${at}.cidr`, block.cidr, networkMessage);
  for (const [index, except] of (block.except ?? []).entries()) {
    if (!isNetwork(except)) yield invalid(`${at}.except[${index}]`, except, networkMessage);
    else if (isGood && !isStrictSubset(except, block.cidr)) {
      yield invalid(`${at}.except[${index}]`, except, "must be a strict subset of `cidr`");
    }
  }
}

function isStrictSubset(inner: string, outer: string): boolean {
  const [address = "", length = ""] = outer.split("/");
  const [innerAddress = "", innerLength = ""] = inner.split("/");
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if ((isIP(innerAddress) === 6 ? "ipv6" : "ipv4") !== family) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(length), family);
  return list.check(innerAddress, family) && Number(innerLength) > Number(length);
}
