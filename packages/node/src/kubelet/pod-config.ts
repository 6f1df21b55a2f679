import type { Pod } from "@dhow/kube";
import { readFileSync } from "node:fs";
import type { PodConfig } from "../sandbox/sandbox.ts";
import type { DnsSettings, NodeContext } from "./context.ts";

/** The pod as its sandbox sees it. */
export function podConfig(pod: Pod, context: NodeContext): PodConfig {
  const { uid = "", namespace = "", name = "" } = pod.metadata;
  // A host name has 63 characters at most (kernel and pkg/kubelet/util/util_linux.go).
  const hostname = (pod.spec.hostname || name).slice(0, 63).replace(/[-.]+$/, "");
  const { subdomain } = pod.spec;
  return {
    uid,
    namespace,
    name,
    nodeName: context.nodeName,
    hostname,
    fullName: subdomain && `${hostname}.${subdomain}.${namespace}.svc.${context.dns.clusterDomain}`,
    resolvConf: resolvConf(pod, context.dns),
    hosts: (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => ({ ip, hostnames })),
    sysctls: sysctls(pod),
  };
}

/** Those that touch nothing but the pod's own network and shared memory (pkg/kubelet/sysctl/safe_sysctls.go); all others are the machine's. */
const safeSysctls: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

function sysctls(pod: Pod): Record<string, string> {
  const wanted = (pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [sysctlName(name), value] as const);
  return Object.fromEntries(wanted.filter(([name]) => safeSysctls.has(name)));
}

function sysctlName(name: string): string {
  return name.replaceAll("/", ".");
}

/** Why a pod is not let in at all, which fails it for good; undefined where it may run. */
export function refusal(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
  const unsafe = pod.spec.securityContext?.sysctls?.find(({ name }) => !safeSysctls.has(sysctlName(name)));
  if (!unsafe) return undefined;
  const message = `Pod was rejected: forbidden sysctl: ${JSON.stringify(sysctlName(unsafe.name))} not allowlisted`;
  return { reason: "SysctlForbidden", message };
}

/** /etc/resolv.conf by the pod's dnsPolicy and dnsConfig (pkg/kubelet/network/dns/dns.go). */
export function resolvConf(pod: Pod, dns: DnsSettings): string {
  const namespace = pod.metadata.namespace ?? "default";
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "Default" && !pod.spec.dnsConfig) return hostResolvConf();
  const cluster = policy === "ClusterFirst" || policy === "ClusterFirstWithHostNet";
  const domain = dns.clusterDomain;
  const nameservers = cluster ? [dns.address] : [];
  const searches = cluster ? [`${namespace}.svc.${domain}`, `svc.${domain}`, domain] : [];
  const options = new Map<string, string | undefined>(cluster ? [["ndots", "5"]] : []);
  const own = pod.spec.dnsConfig;
  nameservers.push(...(own?.nameservers ?? []).filter((address) => !nameservers.includes(address)));
  searches.push(...(own?.searches ?? []).filter((search) => !searches.includes(search)));
  for (const { name, value } of own?.options ?? []) if (name) options.set(name, value);
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(options.size > 0
      ? [`options ${[...options].map(([name, value]) => (value ? `${name}:${value}` : name)).join(" ")}`]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}

function hostResolvConf(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return "";
  }
}
