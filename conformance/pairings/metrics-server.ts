import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KubeClient, KubeObject } from "@dhow/kube";
import { writeAccountKubeconfig } from "./account-kubeconfig.ts";
import { kubernetesProgram } from "./real-control-plane.ts";

const name = "metrics-server";
const namespace = "kube-system";
const group = "rbac.authorization.k8s.io";
const bind = (title: string, kind: string, more: object = {}): KubeObject => ({
  apiVersion: `${group}/v1`,
  kind: `${kind}Binding`,
  metadata: { name: title, ...more },
  roleRef: { apiGroup: group, kind, name: title },
  subjects: [{ kind: "ServiceAccount", name, namespace }],
});

/** The rights that metrics-server asks for, and the API that the API server passes on to it. */
const objectsAt = (address: string, port: number): KubeObject[] => [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
  {
    apiVersion: `${group}/v1`,
    kind: "ClusterRole",
    metadata: { name: "system:metrics-server" },
    rules: [
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
      { apiGroups: [""], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] },
    ],
  },
  bind("system:metrics-server", "ClusterRole"),
  bind("system:auth-delegator", "ClusterRole"),
  bind("extension-apiserver-authentication-reader", "Role", { namespace }),
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { ports: [{ name: "https", port: 443, targetPort: port }] },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  },
  {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: "v1beta1.metrics.k8s.io" },
    spec: {
      group: "metrics.k8s.io",
      version: "v1beta1",
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { name, namespace },
    },
  },
];

export interface MetricsServerOptions {
  readonly client: KubeClient;
  readonly administrator: string;
  /** Where it listens; none that is loopback, to which an API server passes nothing on. */
  readonly address: string;
  readonly port: number;
  /** For its program, its key and its log. */
  readonly folder: string;
}

/** Kubernetes' metrics-server, which reads what pods use from kubelets and serves `metrics.k8s.io`. Ends with what it returns. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<ChildProcess> {
  const { client, administrator, address, port, folder } = options;
  for (const object of objectsAt(address, port))
    await client.apply(object, { fieldManager: "administrator", force: true });
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "kubeconfig");
  const kubeconfig = await writeAccountKubeconfig(client, { account: { namespace, name }, administrator, path });
  const access = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];
  const flags = [
    ...access.map((flag) => `--${flag}=${kubeconfig}`),
    `--bind-address=${address}`,
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--kubelet-insecure-tls",
    "--kubelet-use-node-status-port",
    "--metric-resolution=10s",
    "--kubelet-request-timeout=5s",
  ];
  const log = openSync(join(folder, "log"), "w");
  return spawn(await unpackProgram(folder), flags, { stdio: ["ignore", log, log] });
}

/** Its image holds one program and nothing else. */
async function unpackProgram(folder: string): Promise<string> {
  const images = join(dirname(await kubernetesProgram()), "images");
  const extract = (archive: string, ...members: string[]) =>
    execFileSync("tar", ["-xf", archive, "-C", folder, ...members]);
  extract(join(images, `${name}.tar`));
  const [image] = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as { Layers: string[] }[];
  for (const layer of image?.Layers ?? []) extract(join(folder, layer), name);
  return join(folder, name);
}
