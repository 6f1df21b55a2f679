import {
  deepEqual,
  type EndpointAddress,
  type Endpoints,
  type EndpointSubset,
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
  targetRef,
  watchServicesAndPods,
} from "./endpoints/of-service.ts";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, keyOf, nameOf, namespaceOf, splitKey } from "./objects.ts";

/** An Endpoints object lists so many addresses at most and says that there are more (pkg/controller/endpoint). */
const capacity = 1000;
const overCapacity = "endpoints.kubernetes.io/over-capacity";
const managerLabel = "endpoints.kubernetes.io/managed-by";
const managerName = "endpoint-controller";

/** Keeps the older, single Endpoints object of each Service beside its slices. */
export const endpoints: Controller = {
  name: "endpoints",
  start(manager) {
    const queue = manager.queue("endpoints", { workers: 8, reconcile: (key) => reconcile(manager, key) });
    watchServicesAndPods(manager, queue);
    manager.informer(kinds.endpoints).onChange((object, old) => {
      if (((object ?? old) as Endpoints).metadata.labels?.[managerLabel] === managerName)
        queue.add(keyOf((object ?? old) as Endpoints));
    });
  },
};

async function reconcile(manager: Manager, key: string): Promise<void> {
  const { client } = manager;
  const { namespace, name } = splitKey(key);
  const service = manager.informer(kinds.service).get(namespace, name);
  const existing = manager.informer(kinds.endpoints).get(namespace, name);
  if (!service || isDeleting(service)) {
    // What somebody else wrote for a Service without selector is theirs, unless the Service is gone.
    if (existing && !service && existing.metadata.labels?.[managerLabel] === managerName)
      await remove(manager, existing);
    return;
  }
  if (!service.spec?.selector || service.spec.type === "ExternalName") return;
  const nodes = manager.informer(kinds.node);
  const backends = backendsOf(service, manager.informer(kinds.pod).list(namespace), (node) =>
    nodes.get(undefined, node),
  );
  const wanted = build(
    service,
    existing,
    backends.filter(({ terminating }) => !terminating),
  );
  if (!existing) {
    await client.create(wanted);
    return;
  }
  const same =
    deepEqual(existing.subsets ?? [], wanted.subsets ?? []) &&
    deepEqual(existing.metadata.labels ?? {}, wanted.metadata.labels ?? {}) &&
    existing.metadata.annotations?.[overCapacity] === wanted.metadata.annotations?.[overCapacity];
  if (!same) await client.update(wanted);
}

async function remove(manager: Manager, object: Endpoints): Promise<void> {
  try {
    await manager.client.delete(refOf(object));
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}

function build(service: Service, existing: Endpoints | undefined, backends: readonly Backend[]): Endpoints {
  const labels: Record<string, string> = { ...service.metadata.labels, [managerLabel]: managerName };
  delete labels[headlessLabel];
  if (isHeadless(service)) labels[headlessLabel] = "";
  const { [overCapacity]: _, ...annotations } = existing?.metadata.annotations ?? {};
  if (backends.length > capacity) annotations[overCapacity] = "truncated";
  const subsets = subsetsOf(backends.slice(0, capacity));
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      ...existing?.metadata,
      name: nameOf(service),
      namespace: namespaceOf(service),
      labels,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    ...(subsets.length > 0 ? { subsets } : {}),
  };
}

/** Addresses with the same ports share a subset; everything in a fixed order (pkg/api/v1/endpoints, RepackSubsets). */
export function subsetsOf(backends: readonly Backend[]): EndpointSubset[] {
  const groups = groupByPorts(backends).sort((a, b) => (JSON.stringify(a.ports) < JSON.stringify(b.ports) ? -1 : 1));
  return groups.map(({ ports: resolved, backends: members }) => {
    const ordered = members.sort((a, b) => (a.ip < b.ip ? -1 : 1));
    const addresses = ordered.filter(({ ready }) => ready).map(toAddress);
    const notReadyAddresses = ordered.filter(({ ready }) => !ready).map(toAddress);
    const ports = resolved.map(({ name, protocol, port, appProtocol }) => ({
      ...(name ? { name } : {}),
      port,
      protocol,
      ...(appProtocol ? { appProtocol } : {}),
    }));
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    };
  });
}

function toAddress({ pod, ip, hostname }: Backend): EndpointAddress {
  return {
    ...(hostname ? { hostname } : {}),
    ip,
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: targetRef(pod),
  };
}
