import type { PolicyRule, PolicyRules, PortSpan } from "./policy-rules.ts";
import { formatSpan } from "./ranges.ts";

/** The nftables table that NetworkPolicies live in. */
const table = "ip dhow_policies";

export interface PolicyTableOptions {
  /** Where probes and the agent's own requests come from: always let in, as the kubelet's are in any cluster. */
  readonly nodeAddresses: readonly string[];
  readonly serviceCidr: string;
  /** Addresses of the service range at which the agent itself answers. */
  readonly ownAddresses: readonly string[];
}

/**
 * The whole table as one transaction. Service addresses are translated before, so rules are about pods. What is refused is told so at
 * once. A packet for a service address that is still one here has no Service.
 */
export function policyTable(rules: PolicyRules, options: PolicyTableOptions): string {
  const isolated = [...new Set([...rules.isolatedIngress, ...rules.isolatedEgress])];
  const own = options.ownAddresses.length > 0 ? `ip daddr != { ${options.ownAddresses.join(", ")} } ` : "";
  const sets: string[] = [];
  const ingress = rules.ingress.flatMap((rule, index) => formatRule(rule, `in${index}`, "ingress", sets));
  const egress = rules.egress.flatMap((rule, index) => formatRule(rule, `out${index}`, "egress", sets));
  return `add table ${table}
delete table ${table}
table ${table} {
${formatSet("isolated_in", "ipv4_addr", rules.isolatedIngress)}
${formatSet("isolated_out", "ipv4_addr", rules.isolatedEgress)}
${formatSet(
  "themselves",
  "ipv4_addr . ipv4_addr",
  isolated.map((address) => `${address} . ${address}`),
)}
${sets.join("\n")}
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type admin-prohibited
  }
  chain ingress {
${indent(ingress)}
    goto refuse
  }
  chain egress {
${indent(egress)}
    goto refuse
  }
  chain between_pods {
    type filter hook forward priority 0
    ct state established,related accept
    ip daddr ${options.serviceCidr} goto refuse
    ip saddr { ${options.nodeAddresses.join(", ")} } accept
    ip saddr . ip daddr @themselves accept
    ip saddr @isolated_out jump egress
    ip daddr @isolated_in jump ingress
  }
  chain to_agent {
    type filter hook input priority 0
    ct state established,related accept
    ip saddr @isolated_out jump egress
  }
  chain from_agent {
    type filter hook output priority 0
    ct state established,related accept
    ${own}ip daddr ${options.serviceCidr} goto refuse
  }
}
`;
}

function formatRule(rule: PolicyRule, name: string, direction: "ingress" | "egress", sets: string[]): string[] {
  const [pod, peer] = direction === "ingress" ? ["ip daddr", "ip saddr"] : ["ip saddr", "ip daddr"];
  sets.push(formatSet(`${name}_pods`, "ipv4_addr", rule.pods));
  let match = `${pod} @${name}_pods`;
  if (rule.peers !== undefined) {
    sets.push(formatSet(`${name}_peers`, "ipv4_addr", rule.peers.map(formatSpan), "interval"));
    match += ` ${peer} @${name}_peers`;
  }
  if (rule.ports === undefined) return [`${match} return`];
  const numbered = Map.groupBy(rule.ports, ({ protocol }) => protocol);
  const lines = [...numbered].map(([protocol, spans]) => `${match} ${portMatch(protocol, spans)} return`);
  if (rule.namedPorts.length > 0) {
    const elements = rule.namedPorts.map(({ address, protocol, port }) => `${address} . ${protocol} . ${port}`);
    sets.push(formatSet(`${name}_named`, "ipv4_addr . inet_proto . inet_service", [...new Set(elements)]));
    lines.push(`${match} ip daddr . meta l4proto . th dport @${name}_named return`);
  }
  return lines;
}

function portMatch(protocol: string, spans: readonly PortSpan[]): string {
  const every = spans.some(({ first, last }) => first === 0 && last === 65_535);
  if (every) return `meta l4proto ${protocol}`;
  const ports = unitePorts(spans).map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
  return `${protocol} dport { ${ports.join(", ")} }`;
}

/** nft refuses intervals that overlap. */
function unitePorts(spans: readonly PortSpan[]): { first: number; last: number }[] {
  const united: { first: number; last: number }[] = [];
  for (const { first, last } of [...spans].sort((a, b) => a.first - b.first)) {
    const previous = united.at(-1);
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last);
    else united.push({ first, last });
  }
  return united;
}

function formatSet(name: string, type: string, elements: readonly string[], flags?: string): string {
  const flag = flags ? ` flags ${flags};` : "";
  const content = elements.length > 0 ? ` elements = { ${elements.join(", ")} }` : "";
  return `  set ${name} { type ${type};${flag}${content}\n  }`;
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}
