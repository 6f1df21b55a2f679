import {
  deepEqual,
  type Endpoint,
  type EndpointAddress,
  type Endpoints,
  type EndpointSlice,
  type EndpointSubset,
  isStatusError,
  refOf,
} from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { controllerReference, isDeleting, keyOf, nameOf, namespaceOf, splitKey } from "./objects.ts";

// pkg/controller/endpointslicemirroring

const serviceLabel = "kubernetes.io/service-name";
const managerLabel = "endpointslice.kubernetes.io/managed-by";
const managerName = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
/** Of election by Endpoints, which are no endpoints. */
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
/** A subset's addresses beyond these are left out (--mirroring-max-endpoints-per-subset). */
const mostAddresses = 1000;

/** Writes Endpoints that somebody made for a Service without selector as EndpointSlices, which is what everybody reads. */
export const endpointsliceMirroring: Controller = {
  name: "endpointslice-mirroring",
  start(manager) {
    const queue = manager.queue("endpointslice-mirroring", { reconcile: (key) => reconcile(manager, key) });
    manager.informer(kinds.endpoints).onChange((object, old) => queue.add(keyOf((object ?? old) as Endpoints)));
    manager.informer(kinds.service).onChange((service, old) => {
      const either = service ?? old;
      if (either) queue.add(keyOf(either));
    });
    manager.informer(kinds.endpointSlice).onChange((slice, old) => {
      const { metadata } = (slice ?? old) as EndpointSlice;
      if (metadata.labels?.[managerLabel] === managerName)
        queue.add(`${metadata.namespace}/${metadata.labels[serviceLabel]}`);
    });
  },
};

async function reconcile(manager: Manager, key: string): Promise<void> {
  const { client } = manager;
  const { namespace, name } = splitKey(key);
  const service = manager.informer(kinds.service).get(namespace, name);
  const endpoints = manager.informer(kinds.endpoints).get(namespace, name);
  const existing = manager
    .informer(kinds.endpointSlice)
    .list(namespace)
    .filter(({ metadata }) => metadata.labels?.[managerLabel] === managerName && metadata.labels[serviceLabel] === name)
    .filter((slice) => !isDeleting(slice));
  const mirrored = service && !isDeleting(service) && !service.spec?.selector && endpoints && isMirrored(endpoints);
  const left = [...existing];
  for (const wanted of mirrored ? slicesOf(endpoints) : []) {
    const at = left.findIndex(({ ports }) => deepEqual(ports ?? [], wanted.ports ?? []));
    const [slice] = at < 0 ? [] : left.splice(at, 1);
    if (!slice) await client.create(wanted);
    else if (!isSame(slice, wanted)) {
      await client.update({ ...wanted, metadata: { ...slice.metadata, ...wanted.metadata, name: nameOf(slice) } });
    }
  }
  await Promise.all(left.map((slice) => remove(manager, slice)));
}

function isMirrored(endpoints: Endpoints): boolean {
  const { labels, annotations } = endpoints.metadata;
  return !isDeleting(endpoints) && labels?.[skipLabel] !== "true" && annotations?.[leaderAnnotation] === undefined;
}

function isSame(slice: EndpointSlice, wanted: EndpointSlice): boolean {
  return (
    deepEqual(slice.endpoints ?? [], wanted.endpoints) &&
    deepEqual(slice.metadata.labels ?? {}, wanted.metadata.labels) &&
    deepEqual(slice.metadata.annotations ?? {}, wanted.metadata.annotations ?? {})
  );
}

async function remove({ client }: Manager, slice: EndpointSlice): Promise<void> {
  try {
    await client.delete(refOf(slice));
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}

/** One a subset. */
function slicesOf(endpoints: Endpoints): EndpointSlice[] {
  const { [lastApplied]: _, ...annotations } = endpoints.metadata.annotations ?? {};
  const labels = { ...endpoints.metadata.labels, [serviceLabel]: nameOf(endpoints), [managerLabel]: managerName };
  return (endpoints.subsets ?? []).map((subset) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${nameOf(endpoints)}-`,
      namespace: namespaceOf(endpoints),
      labels,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [controllerReference(endpoints)],
    },
    addressType: "IPv4",
    endpoints: endpointsOf(subset),
    ports: (subset.ports ?? []).map(({ name, port, protocol, appProtocol }) => ({
      name: name ?? "",
      port,
      protocol: protocol ?? "TCP",
      ...(appProtocol ? { appProtocol } : {}),
    })),
  }));
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset): Endpoint[] {
  const one =
    (ready: boolean) =>
    ({ ip, hostname, nodeName, targetRef }: EndpointAddress): Endpoint => ({
      addresses: [ip],
      conditions: { ready },
      ...(hostname ? { hostname } : {}),
      ...(nodeName ? { nodeName } : {}),
      ...(targetRef ? { targetRef } : {}),
    });
  return [...addresses.map(one(true)), ...notReadyAddresses.map(one(false))].slice(0, mostAddresses);
}
