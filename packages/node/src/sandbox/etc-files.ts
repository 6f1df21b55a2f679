import { readFileSync } from "node:fs";
import type { ContainerConfig, PodConfig } from "./sandbox.ts";

export interface PodFiles {
  readonly address: string;
  readonly config: PodConfig;
  /** The folder that all containers of the pod see as /dev/shm. */
  readonly shm: string;
}

/** The files of /etc that are a pod's own. */
export function podFiles({ address, config }: PodFiles): [name: string, text: string][] {
  return [
    ["resolv.conf", config.resolvConf],
    ["hostname", `${config.hostname}\n`],
    ["hosts", hostsFile(address, config)],
  ];
}

/** For a root made of the host's folders: also what would otherwise name the host's own users and look-up services. */
export function etcFiles(pod: PodFiles, config: ContainerConfig): [name: string, text: string][] {
  return [
    ...podFiles(pod),
    ["nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"],
    ["passwd", withEntry("/etc/passwd", config.user, (user) => `dhow:x:${user}:${config.group}::/:/bin/sh\n`)],
    ["group", withEntry("/etc/group", config.group, (group) => `dhow:x:${group}:\n`)],
  ];
}

/** As the kubelet writes it (pkg/kubelet/kubelet_pods.go, nodeHostsFileContent). */
function hostsFile(address: string, { fullName, hostname, hosts }: PodConfig): string {
  const lines = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    [address, ...(fullName ? [fullName] : []), hostname].join("\t"),
  ];
  if (hosts.length > 0) lines.push("", "# Entries added by HostAliases.");
  for (const { ip, hostnames } of hosts) lines.push([ip, ...hostnames].join("\t"));
  return `${lines.join("\n")}\n`;
}

/** Programs such as initdb refuse to run as a user without a name. */
function withEntry(file: string, id: number, entry: (id: number) => string): string {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // A host without the file: the entry is all there is.
  }
  return text.split("\n").some((line) => line.split(":")[2] === String(id)) ? text : text + entry(id);
}
