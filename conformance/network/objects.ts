import type { EndpointSlice, Namespace, NetworkPolicy, Pod, Service } from "@dhow/kube";

export function namespaceObject(name: string): Namespace {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { "kubernetes.io/metadata.name": name } } };
}

export function podObject(name: string, labels: Record<string, string>, address: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", uid: name, labels },
    spec: { containers: [] },
    status: { podIP: address, phase: "Running" },
  };
}

export function serviceObject(name: string, clusterIP: string, port: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port }] },
  };
}

export function sliceObject(service: string, addresses: readonly string[], port: number): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    addressType: "IPv4",
    metadata: { name: `${service}-1`, namespace: "default", labels: { "kubernetes.io/service-name": service } },
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ port }],
  };
}

/** Only pods labelled `guest: "yes"` may come in. */
export function guestsOnly(app: string): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: app, namespace: "default" },
    spec: {
      podSelector: { matchLabels: { app } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { guest: "yes" } } }] }],
    },
  };
}
