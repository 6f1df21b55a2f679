import type { Clock } from "@dhow/base";
import {
  type EndpointSlice,
  type Ingress,
  type IngressClass,
  type KubeClient,
  type KubeObject,
  type Namespace,
  type NetworkPolicy,
  type Pod,
  type Secret,
  type Service,
  startInformer,
} from "@dhow/kube";

/** A live collection, as an Informer is one. */
export interface Collection<T> {
  get(namespace: string | undefined, name: string): T | undefined;
  list(namespace?: string): T[];
  onChange(callback: (object: T | undefined, old: T | undefined) => void): () => void;
}

/** What services, policies, DNS and ingress are made of. */
export interface NetworkObjects {
  readonly services: Collection<Service>;
  readonly endpointSlices: Collection<EndpointSlice>;
  readonly policies: Collection<NetworkPolicy>;
  readonly namespaces: Collection<Namespace>;
  readonly pods: Collection<Pod>;
  readonly ingresses: Collection<Ingress>;
  readonly ingressClasses: Collection<IngressClass>;
  /** Of type kubernetes.io/tls. */
  readonly certificates: Collection<Secret>;
}

/** Watches all of them; resolves when each has been listed. */
export async function watchNetworkObjects(
  client: KubeClient,
  options: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<NetworkObjects> {
  const watched: Promise<void>[] = [];
  const watch = <T extends KubeObject>(apiVersion: string, kind: string, fieldSelector?: string) => {
    const informer = startInformer<T>(
      client,
      { apiVersion, kind },
      { ...options, ...(fieldSelector ? { fieldSelector } : {}) },
    );
    watched.push(informer.synced);
    return informer;
  };
  const objects: NetworkObjects = {
    services: watch<Service>("v1", "Service"),
    endpointSlices: watch<EndpointSlice>("discovery.k8s.io/v1", "EndpointSlice"),
    policies: watch<NetworkPolicy>("networking.k8s.io/v1", "NetworkPolicy"),
    namespaces: watch<Namespace>("v1", "Namespace"),
    pods: watch<Pod>("v1", "Pod"),
    ingresses: watch<Ingress>("networking.k8s.io/v1", "Ingress"),
    ingressClasses: watch<IngressClass>("networking.k8s.io/v1", "IngressClass"),
    certificates: watch<Secret>("v1", "Secret", "type=kubernetes.io/tls"),
  };
  await Promise.all(watched);
  return objects;
}
