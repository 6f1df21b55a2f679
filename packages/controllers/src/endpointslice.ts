import {
  deepEqual,
  type DiscoveryEndpointPort,
  type Endpoint,
  type EndpointSlice,
  isStatusError,
  refOf,
  type Service,
} from "@dhow/kube";
import {
  type Backend,
  backendsOf,
  groupByPorts,
  headlessLabel,
  isHeadless,
  type ResolvedPort,
  targetRef,
  watchServicesAndPods,
} from "./endpoints/of-service.ts";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { controllerReference, isDeleting, keyOf, nameOf, namespaceOf, splitKey } from "./objects.ts";

const serviceLabel = "kubernetes.io/service-name";
const managerLabel = "endpointslice.kubernetes.io/managed-by";
const managerName = "endpointslice-controller.k8s.io";
/** As many endpoints a slice has at most (--max-endpoints-per-slice). */
const sliceSize = 100;

/** Keeps the EndpointSlices of Services that select pods. */
export const endpointslice: Controller = {
  name: "endpointslice",
  start(manager) {
    const reconciler = new SliceReconciler(manager);
    const queue = manager.queue("endpointslice", { workers: 8, reconcile: (key) => reconciler.reconcile(key) });
    watchServicesAndPods(manager, queue);
    manager.informer(kinds.node);
    manager.informer(kinds.endpointSlice).onChange((slice, old) => {
      const service = serviceOf((slice ?? old) as EndpointSlice);
      if (service) queue.add(service);
    });
  },
};

function serviceOf(slice: EndpointSlice): string | undefined {
  const labels = slice.metadata.labels ?? {};
  if (labels[managerLabel] !== managerName || !labels[serviceLabel]) return undefined;
  return `${namespaceOf(slice)}/${labels[serviceLabel]}`;
}

class SliceReconciler {
  readonly #manager: Manager;
  /** Slices that were created and have not been seen yet: until then what is there must not be counted. */
  readonly #unseen = new Map<string, { names: Set<string>; until: number }>();

  constructor(manager: Manager) {
    this.#manager = manager;
  }

  async reconcile(key: string): Promise<number | void> {
    const { namespace, name } = splitKey(key);
    const service = this.#manager.informer(kinds.service).get(namespace, name);
    if (!service || isDeleting(service) || !service.spec?.selector || service.spec.type === "ExternalName") {
      this.#unseen.delete(key);
      return;
    }
    const slices = this.#manager.informer(kinds.endpointSlice).list(namespace);
    if (this.#waits(key, slices)) return 20;
    const nodes = this.#manager.informer(kinds.node);
    const pods = this.#manager.informer(kinds.pod).list(namespace);
    const backends = backendsOf(service, pods, (node) => nodes.get(undefined, node));
    const existing = slices.filter((slice) => serviceOf(slice) === key && !isDeleting(slice)).sort(byName);
    await this.#write(service, existing, plan(service, existing, backends));
  }

  #waits(key: string, slices: readonly EndpointSlice[]): boolean {
    const unseen = this.#unseen.get(key);
    if (!unseen) return false;
    for (const slice of slices) unseen.names.delete(nameOf(slice));
    if (unseen.names.size > 0 && this.#manager.clock.now() < unseen.until) return true;
    this.#unseen.delete(key);
    return false;
  }

  async #write(service: Service, existing: readonly EndpointSlice[], planned: readonly PlannedSlice[]): Promise<void> {
    const { client, clock } = this.#manager;
    const kept = new Set(planned.map(({ slice }) => slice));
    const metadata = sliceMetadata(service);
    for (const { slice, endpoints, ports } of planned) {
      if (!slice) {
        const created = await client.create<EndpointSlice>({
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          metadata: { generateName: `${nameOf(service)}-`, namespace: namespaceOf(service), ...metadata },
          addressType: "IPv4",
          endpoints,
          ports,
        });
        const unseen = this.#unseen.get(keyOf(service)) ?? { names: new Set(), until: 0 };
        unseen.names.add(nameOf(created));
        this.#unseen.set(keyOf(service), { names: unseen.names, until: clock.now() + 5000 });
        continue;
      }
      const same =
        deepEqual(slice.endpoints ?? [], endpoints) &&
        deepEqual(slice.ports ?? [], ports) &&
        deepEqual(slice.metadata.labels, metadata.labels);
      if (!same) await client.update({ ...slice, metadata: { ...slice.metadata, ...metadata }, endpoints, ports });
    }
    for (const slice of existing) {
      if (kept.has(slice)) continue;
      try {
        await client.delete(refOf(slice));
      } catch (error) {
        if (!isStatusError(error, "NotFound")) throw error;
      }
    }
  }
}

function byName(a: EndpointSlice, b: EndpointSlice): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function sliceMetadata(service: Service) {
  const labels: Record<string, string> = { ...service.metadata.labels };
  delete labels[headlessLabel];
  if (isHeadless(service)) labels[headlessLabel] = "";
  return {
    labels: { ...labels, [serviceLabel]: nameOf(service), [managerLabel]: managerName },
    ownerReferences: [controllerReference(service)],
  };
}

interface PlannedSlice {
  readonly slice: EndpointSlice | undefined;
  readonly endpoints: Endpoint[];
  readonly ports: DiscoveryEndpointPort[];
}

/** Endpoints stay in the slice in which they are; new ones go where there is room (staging/src/k8s.io/endpointslice/reconciler.go). */
export function plan(
  service: Service,
  existing: readonly EndpointSlice[],
  backends: readonly Backend[],
): PlannedSlice[] {
  const planned: PlannedSlice[] = [];
  for (const { ports: resolved, backends: members } of groupByPorts(backends)) {
    const ports = resolved.map(toPort);
    const missing = new Map(members.map((backend) => [backend.pod.metadata.uid ?? "", toEndpoint(backend)]));
    const slices: PlannedSlice[] = existing
      .filter((slice) => deepEqual(slice.ports ?? [], ports))
      .map((slice) => ({ slice, endpoints: [], ports }));
    for (const { slice, endpoints } of slices) {
      for (const endpoint of slice?.endpoints ?? []) {
        const current = missing.get(endpoint.targetRef?.uid ?? "");
        if (!current) continue;
        endpoints.push(current);
        missing.delete(endpoint.targetRef?.uid ?? "");
      }
    }
    for (const endpoint of missing.values()) {
      let target = slices.find(({ endpoints }) => endpoints.length < sliceSize);
      if (!target) slices.push((target = { slice: undefined, endpoints: [], ports }));
      target.endpoints.push(endpoint);
    }
    planned.push(...slices.filter(({ endpoints }) => endpoints.length > 0));
  }
  // A Service without endpoints has one empty slice, so that its readers know that somebody looked.
  if (planned.length === 0) return [{ slice: existing[0], endpoints: [], ports: [] }];
  const spare = existing.find((slice) => (slice.ports ?? []).length === 0 && (slice.endpoints ?? []).length === 0);
  const fresh = planned.findIndex(({ slice }) => slice === undefined);
  if (spare && fresh >= 0 && service.spec?.ports)
    planned[fresh] = { ...(planned[fresh] as PlannedSlice), slice: spare };
  return planned;
}

function toPort({ name, protocol, port, appProtocol }: ResolvedPort): DiscoveryEndpointPort {
  return { name, protocol, port, ...(appProtocol ? { appProtocol } : {}) };
}

function toEndpoint({ pod, ip, hostname, zone, ready, serving, terminating }: Backend): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: targetRef(pod),
    ...(zone ? { zone } : {}),
  };
}
