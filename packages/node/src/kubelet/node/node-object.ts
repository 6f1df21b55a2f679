import { readFileSync } from "node:fs";
import { arch, hostname, release } from "node:os";
import { type Node, type NodeCondition, type NodeStatus, Quantity } from "@dhow/kube";
import { timestamp } from "../status/format.ts";

export interface NodeOptions {
  readonly name: string;
  readonly zone: string;
  readonly region?: string;
  /** What the node offers, as quantities: `8`, `16Gi`. */
  readonly cpu: string;
  readonly memory: string;
  /** Such as 10.244.1.0/24. */
  readonly podCidr: string;
  /** What pods and services see as the node's address, such as 10.250.0.11. */
  readonly address: string;
  /** Where the API server reaches the node's kubelet by network: what the Node says of itself. Its own address and 10250 where it is left out. */
  readonly kubelet?: { readonly address: string; readonly port: number };
}

/** The Kubernetes version that the kubelet says it has. */
export const kubeletVersion = "v1.36.0+dhow";
const kubeletPort = 10_250;
const maximumPods = "110";
/** What is kept back from pods for the machine itself, as a kubelet's eviction threshold keeps it. */
const reservedMemory = 100 << 20;

export function allocatable(options: NodeOptions): Record<string, string> {
  const memory = Math.max(0, Quantity.parse(options.memory).value() - reservedMemory);
  return {
    cpu: options.cpu,
    memory: `${Math.floor(memory / 1024)}Ki`,
    "ephemeral-storage": "100Gi",
    pods: maximumPods,
  };
}

function architecture(): string {
  return arch() === "x64" ? "amd64" : arch();
}

/** The Node as it registers itself. */
export function nodeObject(options: NodeOptions): Node {
  const labels = {
    "beta.kubernetes.io/arch": architecture(),
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture(),
    "kubernetes.io/hostname": options.name,
    "kubernetes.io/os": "linux",
    "topology.kubernetes.io/zone": options.zone,
    ...(options.region ? { "topology.kubernetes.io/region": options.region } : {}),
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: options.name, labels },
    spec: { podCIDR: options.podCidr, podCIDRs: [options.podCidr] },
  };
}

export interface NodeStatusInput {
  readonly options: NodeOptions;
  readonly runtimeVersion: string;
  readonly images: readonly string[];
  readonly now: number;
  readonly previous: readonly NodeCondition[];
  /** A sentence about what this node cannot enforce; shown by `describe node`. */
  readonly notes: readonly string[];
}

export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const { options, previous, now } = input;
  const available = allocatable(options);
  return {
    capacity: { ...available, memory: `${Math.floor(Quantity.parse(options.memory).value() / 1024)}Ki` },
    allocatable: available,
    conditions: conditions(input).map((condition) => {
      const old = previous.find(({ type }) => type === condition.type);
      const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
      return { ...condition, lastHeartbeatTime: timestamp(now), lastTransitionTime: since ?? timestamp(now) };
    }),
    addresses: [
      { type: "InternalIP", address: options.kubelet?.address ?? options.address },
      { type: "Hostname", address: options.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: options.kubelet?.port ?? kubeletPort } },
    nodeInfo: {
      architecture: architecture(),
      bootID: readLine("/proc/sys/kernel/random/boot_id"),
      containerRuntimeVersion: input.runtimeVersion,
      kernelVersion: release(),
      kubeProxyVersion: "",
      kubeletVersion,
      machineID: readLine("/etc/machine-id") || hostname(),
      operatingSystem: "linux",
      osImage: osImage(),
      systemUUID: readLine("/etc/machine-id") || hostname(),
    },
    images: input.images.map((name) => ({ names: [name], sizeBytes: 0 })),
  };
}

function conditions({ notes }: NodeStatusInput): NodeCondition[] {
  const fine = (type: string, reason: string, message: string) => ({ type, status: "False", reason, message });
  const posting = "kubelet is posting ready status";
  const message = notes.length > 0 ? `${posting}. ${notes.join(" ")}` : posting;
  return [
    fine("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    fine("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    fine("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    { type: "Ready", status: "True", reason: "KubeletReady", message },
  ];
}

function readLine(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

function osImage(): string {
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(readLine("/etc/os-release"))?.[1] ?? "Linux";
}
