import { createHash } from "node:crypto";
import type { Front, ServiceRule } from "./service-rules.ts";

/** The nftables table that Services live in. */
const table = "ip dhow_services";

/** Chains, sets and elements of the table beside its fixed parts. */
export interface ServiceTable {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Who was sent where, kept from one change to the next. */
  readonly affinitySets: ReadonlyMap<string, number>;
  readonly served: readonly string[];
  readonly refused: readonly string[];
  readonly hairpins: readonly string[];
}

export const emptyServiceTable: ServiceTable = {
  chains: new Map(),
  affinitySets: new Map(),
  served: [],
  refused: [],
  hairpins: [],
};

const lookup = "ip daddr . meta l4proto . th dport vmap";

/** What the hooks do; said anew with each change, since a flush of the table empties them. */
const fixedRules = (nodeAddress: string): readonly (readonly [chain: string, rule: string])[] => [
  ["refuse", "meta l4proto tcp reject with tcp reset"],
  ["refuse", "reject with icmp type port-unreachable"],
  ["before_routing", `${lookup} @served`],
  ["before_leaving", `${lookup} @served`],
  ["check_coming", `${lookup} @refused`],
  ["check_leaving", `${lookup} @refused`],
  // A pod that reaches itself through its own Service must not see its own address as the peer's, or it answers itself directly.
  ["after_routing", `ct status dnat ip saddr . ip daddr @hairpins snat to ${nodeAddress}`],
];

/** The table without any Service. */
export const createServiceTable = `
add table ${table}
delete table ${table}
table ${table} {
  map served { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused { type ipv4_addr . inet_proto . inet_service : verdict; }
  set hairpins { type ipv4_addr . ipv4_addr; }
  chain refuse { }
  chain before_routing { type nat hook prerouting priority -100; }
  chain before_leaving { type nat hook output priority -100; }
  chain after_routing { type nat hook postrouting priority 100; }
  chain check_coming { type filter hook prerouting priority -110; }
  chain check_leaving { type filter hook output priority -110; }
}
`;

export function serviceTable(rules: readonly ServiceRule[]): ServiceTable {
  const chains = new Map<string, readonly string[]>();
  const affinitySets = new Map<string, number>();
  const served: string[] = [];
  const refused: string[] = [];
  const hairpins = new Set<string>();
  const seen = new Set<string>();
  for (const rule of rules) {
    const chain = `svc_${digest(rule.name)}`;
    // Two Services may claim one external address: the first has it.
    const keys = rule.fronts.map((front) => `${front.address} . ${rule.protocol} . ${front.port}`);
    const fresh = keys.filter((key) => !seen.has(key));
    for (const key of fresh) seen.add(key);
    if (rule.backends.length === 0) {
      refused.push(...fresh.map((key) => `${key} : goto refuse`));
      continue;
    }
    served.push(...fresh.map((key) => `${key} : goto ${chain}`));
    for (const { address } of rule.backends) hairpins.add(`${address} . ${address}`);
    if (rule.byCaller) addCallers(rule, rule.byCaller, chain, chains, affinitySets);
    else addBackends(rule, chain, chains, affinitySets);
  }
  return { chains, affinitySets, served, refused, hairpins: [...hairpins] };
}

function addBackends(
  rule: ServiceRule,
  chain: string,
  chains: Map<string, readonly string[]>,
  sets: Map<string, number>,
): void {
  if (rule.affinitySeconds === undefined) chains.set(chain, [balance(rule)]);
  else addAffinity(rule, rule.affinitySeconds, chain, chains, sets);
}

/** Where a packet goes is a matter of where it comes from; what comes from elsewhere, a node itself, may go anywhere. */
function addCallers(
  rule: ServiceRule,
  callers: NonNullable<ServiceRule["byCaller"]>,
  chain: string,
  chains: Map<string, readonly string[]>,
  sets: Map<string, number>,
): void {
  const ways = callers.map(({ range, backends }) => {
    if (backends.length === 0) return `ip saddr ${range} drop`;
    const own = `svc_${digest(`${rule.name} from ${range}`)}`;
    addBackends({ ...rule, name: `${rule.name} from ${range}`, backends }, own, chains, sets);
    return `ip saddr ${range} goto ${own}`;
  });
  const rest = `svc_${digest(`${rule.name} from elsewhere`)}`;
  addBackends(rule, rest, chains, sets);
  chains.set(chain, [...ways, `goto ${rest}`]);
}

function balance({ protocol, backends }: ServiceRule): string {
  const [only] = backends;
  if (backends.length === 1 && only) return translate(protocol, only);
  const places = backends.map(({ address, port }, index) => `${index} : ${address} . ${port}`);
  const choice = `numgen random mod ${backends.length} map { ${places.join(", ")} }`;
  return `meta l4proto ${protocol} dnat ip to ${choice}`;
}

function translate(protocol: string, { address, port }: Front): string {
  return `meta l4proto ${protocol} dnat to ${address}:${port}`;
}

/** As kube-proxy does it (pkg/proxy/nftables): a backend remembers its clients, the Service asks its backends in turn whose the client is. */
function addAffinity(
  rule: ServiceRule,
  seconds: number,
  chain: string,
  chains: Map<string, readonly string[]>,
  sets: Map<string, number>,
): void {
  const places = rule.backends.map((backend) => {
    const key = digest(`${rule.name} ${backend.address}:${backend.port} ${seconds}`);
    sets.set(`clients_${key}`, seconds);
    chains.set(`end_${key}`, [`update @clients_${key} { ip saddr }`, translate(rule.protocol, backend)]);
    return key;
  });
  const remembered = places.map((key) => `ip saddr @clients_${key} goto end_${key}`);
  const choices = places.map((key, index) => `${index} : goto end_${key}`);
  chains.set(chain, [...remembered, `numgen random mod ${places.length} vmap { ${choices.join(", ")} }`]);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** One transaction from one state of the table to another. Connections that stand keep their backend, and clients their affinity. `nodeAddress` is what a pod sees that reaches itself. */
export function changeServiceTable(from: ServiceTable, to: ServiceTable, nodeAddress: string): string {
  const lines = [`flush table ${table}`, `flush map ${table} served`, `flush map ${table} refused`];
  lines.push(`flush set ${table} hairpins`);
  for (const [name, seconds] of to.affinitySets) {
    if (from.affinitySets.has(name)) continue;
    lines.push(`add set ${table} ${name} { type ipv4_addr; size 65535; flags dynamic,timeout; timeout ${seconds}s; }`);
  }
  for (const name of to.chains.keys()) if (!from.chains.has(name)) lines.push(`add chain ${table} ${name}`);
  for (const [name, rules] of to.chains) for (const rule of rules) lines.push(`add rule ${table} ${name} ${rule}`);
  for (const [chain, rule] of fixedRules(nodeAddress)) lines.push(`add rule ${table} ${chain} ${rule}`);
  lines.push(...addElements("served", to.served), ...addElements("refused", to.refused));
  lines.push(...addElements("hairpins", to.hairpins));
  for (const name of from.chains.keys()) if (!to.chains.has(name)) lines.push(`delete chain ${table} ${name}`);
  for (const name of from.affinitySets.keys())
    if (!to.affinitySets.has(name)) lines.push(`delete set ${table} ${name}`);
  return `${lines.join("\n")}\n`;
}

function addElements(set: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`add element ${table} ${set} { ${elements.join(", ")} }`];
}
