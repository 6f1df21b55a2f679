import type { Endpoint, EndpointSlice } from "@dhow/kube";

/** One place where a Service's port is answered. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  readonly nodeName: string | undefined;
}

export const serviceNameLabel = "kubernetes.io/service-name";

export function slicesOf(slices: readonly EndpointSlice[], namespace: string, service: string): EndpointSlice[] {
  return slices.filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.labels?.[serviceNameLabel] === service,
  );
}

/**
 * Where requests for a named port of a Service go: to what is ready; where nothing is, to what is on its way out but still serves
 * (pkg/proxy/topology.go, KEP 1669). Unnamed ports are named "".
 */
export function backendsOf(slices: readonly EndpointSlice[], portName: string): Backend[] {
  const candidates = slices
    .filter((slice) => slice.addressType === "IPv4")
    .flatMap((slice) => {
      const port = slice.ports?.find(({ name }) => (name ?? "") === portName)?.port;
      if (port === undefined) return [];
      return (slice.endpoints ?? []).map((endpoint) => ({ endpoint, port }));
    });
  const ready = candidates.filter(({ endpoint }) => isReady(endpoint));
  const chosen = ready.length > 0 ? ready : candidates.filter(({ endpoint }) => isServingLast(endpoint));
  const backends = chosen.map(({ endpoint, port }): [string, Backend] => {
    const address = endpoint.addresses[0] ?? "";
    return [`${address}:${port}`, { address, port, nodeName: endpoint.nodeName }];
  });
  return [...new Map(backends).values()].sort((a, b) => compare(a.address, b.address) || a.port - b.port);
}

/** Unset counts as ready (discovery/v1 EndpointConditions). */
export function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready ?? true;
}

function isServingLast({ conditions }: Endpoint): boolean {
  return (conditions?.terminating ?? false) && (conditions?.serving ?? false);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
