import type { ProcessRoutes, ProcessSandbox } from "../sandbox/processes/process-sandbox.ts";
import { isReady, slicesOf } from "./endpoints.ts";
import type { Network } from "./network.ts";
import type { NetworkObjects } from "./objects.ts";
import type { ServiceRule } from "./service-rules.ts";

type Objects = Pick<NetworkObjects, "services" | "endpointSlices">;

/** The network of the sandbox without namespaces: tells its Node programs the way. Policies are not enforced there. */
export function createProcessNetwork(sandbox: ProcessSandbox, objects: Objects, clusterDomain: string): Network {
  return {
    setServices: async (rules) => sandbox.setRoutes(processRoutes(rules, objects, clusterDomain)),
    setPolicies: async () => undefined,
  };
}

export function processRoutes(rules: readonly ServiceRule[], objects: Objects, clusterDomain: string): ProcessRoutes {
  const fronts = rules.flatMap((rule) =>
    rule.fronts.map(({ address, port }): [string, ServiceRule["backends"]] => [`${address}:${port}`, rule.backends]),
  );
  const names = objects.services.list().flatMap(({ metadata, spec }): [string, string][] => {
    const { name = "", namespace = "" } = metadata;
    const full = `${name}.${namespace}.svc.${clusterDomain}`;
    if (spec?.clusterIP !== undefined && spec.clusterIP !== "None") return [[full, spec.clusterIP]];
    const slices = slicesOf(objects.endpointSlices.list(namespace), namespace, name);
    const endpoints = slices.flatMap((slice) => (slice.endpoints ?? []).filter(isReady));
    return endpoints.flatMap(({ addresses: [address = ""], hostname }): [string, string][] => [
      [full, address],
      ...(hostname === undefined ? [] : [[`${hostname}.${full}`, address] as [string, string]]),
    ]);
  });
  return { names: Object.fromEntries(names), fronts: Object.fromEntries(fronts) };
}
