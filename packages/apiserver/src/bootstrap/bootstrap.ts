import { deepEqual, isStatusError, type KubeObject } from "@dhow/kube";
import { firstAddress } from "../allocators/allocators.ts";
import type { Store } from "../store.ts";
import { bootstrapPolicy } from "./policy.ts";

export interface BootstrapOptions {
  readonly serviceCidr: string;
  /** Where pods find the API server: behind the `kubernetes` Service. */
  readonly advertise: { readonly address: string; readonly port: number };
  /** PEM; told to extensions through a ConfigMap. */
  readonly certificateAuthority: string;
}

interface Bootstrap {
  readonly resource: string;
  readonly object: KubeObject;
  /** What is brought up to date when the object is there already; nothing by default, for people may have changed it. */
  readonly refreshed?: readonly string[];
}

/** Creates what exists from the start and is missing. The server calls it before it answers anything. */
export async function bootstrap(store: Store, options: BootstrapOptions): Promise<void> {
  // All at once, so that they share a commit.
  await Promise.all(bootstrapObjects(options).map((one) => ensure(store, one)));
}

async function ensure(store: Store, { object, refreshed = [], resource }: Bootstrap): Promise<void> {
  const { name = "", namespace } = object.metadata;
  if (!store.get(resource, namespace, name)) await createUnlessThere(store, resource, object);
  else if (refreshed.length > 0) {
    await store.modify(resource, namespace, name, (current) => {
      const next = { ...current };
      for (const field of refreshed) next[field] = object[field];
      return deepEqual(next, current) ? undefined : next;
    });
  }
}

async function createUnlessThere(store: Store, resource: string, object: KubeObject): Promise<void> {
  try {
    await store.create(resource, object);
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) throw error;
  }
}

export function bootstrapObjects(options: BootstrapOptions): Bootstrap[] {
  return [
    ...["default", "kube-system", "kube-public", "kube-node-lease"].map(namespace),
    ...bootstrapPolicy(),
    ...priorityClasses,
    ...kubernetesService(options),
    authenticationConfig(options),
    legacyTokenTracking(),
  ];
}

function namespace(name: string): Bootstrap {
  const object = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
  return { resource: "namespaces", object };
}

const priorityClasses: readonly Bootstrap[] = [
  priorityClass(
    "system-node-critical",
    2_000_001_000,
    "Used for system critical pods that must not be moved from their current node.",
  ),
  priorityClass(
    "system-cluster-critical",
    2_000_000_000,
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  ),
];

function priorityClass(name: string, value: number, description: string): Bootstrap {
  const object = {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name, generation: 1 },
    value,
    description,
    preemptionPolicy: "PreemptLowerPriority",
  };
  return { resource: "priorityclasses.scheduling.k8s.io", object };
}

/** The Service that pods reach the API server through; its endpoints are no controller's, but the server's own (pkg/controlplane/controller/kubernetesservice). */
function kubernetesService({ advertise, serviceCidr }: BootstrapOptions): Bootstrap[] {
  const address = firstAddress(serviceCidr);
  const metadata = { name: "kubernetes", namespace: "default" };
  const mirrored = { "endpointslice.kubernetes.io/skip-mirror": "true" };
  const port = { name: "https", port: advertise.port, protocol: "TCP" };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      clusterIP: address,
      clusterIPs: [address],
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: advertise.port }],
      sessionAffinity: "None",
      type: "ClusterIP",
    },
    status: { loadBalancer: {} },
  };
  const endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...metadata, labels: mirrored },
    subsets: [{ addresses: [{ ip: advertise.address }], ports: [port] }],
  };
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [advertise.address], conditions: { ready: true } }],
    ports: [port],
  };
  return [
    { resource: "services", object: service, refreshed: ["spec"] },
    { resource: "endpoints", object: endpoints, refreshed: ["subsets"] },
    { resource: "endpointslices.discovery.k8s.io", object: slice, refreshed: ["endpoints", "ports"] },
  ];
}

function authenticationConfig({ certificateAuthority }: BootstrapOptions): Bootstrap {
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "extension-apiserver-authentication", namespace: "kube-system" },
    data: { "client-ca-file": certificateAuthority },
  };
  return { resource: "configmaps", object, refreshed: ["data"] };
}

/**
 * Since when uses of tokens in Secrets have been noted; the controller manager removes only those that have been unused for long after
 * that day (pkg/controlplane/controller/legacytokentracking).
 */
function legacyTokenTracking(): Bootstrap {
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kube-apiserver-legacy-service-account-token-tracking", namespace: "kube-system" },
    data: { since: new Date().toISOString().slice(0, 10) },
  };
  return { resource: "configmaps", object };
}
