import type { ResourceInfo } from "@dhow/kube";

/** The kind of a resource's answers; group and version are empty where they are those of the resource. */
interface ResponseKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface DiscoveredSubresource {
  readonly subresource: string;
  readonly responseKind: ResponseKind;
  readonly verbs: readonly string[];
}

interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind: ResponseKind;
  readonly scope: "Namespaced" | "Cluster";
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly DiscoveredSubresource[];
}

interface DiscoveredVersion {
  readonly version: string;
  readonly resources: readonly DiscoveredResource[];
  readonly freshness: "Current";
}

interface DiscoveredGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly DiscoveredVersion[];
}

export interface AggregatedDiscovery {
  readonly kind: "APIGroupDiscoveryList";
  readonly apiVersion: string;
  readonly metadata: Record<string, never>;
  readonly items: readonly DiscoveredGroup[];
}

function discovered(info: ResourceInfo): DiscoveredResource {
  return {
    resource: info.resource,
    responseKind: { group: "", version: "", kind: info.kind },
    scope: info.namespaced ? "Namespaced" : "Cluster",
    singularResource: info.singular,
    verbs: info.verbs,
    ...(info.shortNames.length > 0 && { shortNames: info.shortNames }),
    ...(info.categories.length > 0 && { categories: info.categories }),
    ...(info.subresources.length > 0 && {
      subresources: info.subresources.map(({ name, kind = info.kind, group = "", version = "", verbs }) => ({
        subresource: name,
        responseKind: { group, version, kind },
        verbs,
      })),
    }),
  };
}

/**
 * All that is served in one answer (apiserver/pkg/endpoints/discovery/aggregated): the core group for `/api`, the others for `/apis`,
 * groups and versions in the order in which they are given.
 * @param version of apidiscovery.k8s.io: `v2`, or `v2beta1` for older clients.
 */
export function aggregatedDiscovery(
  served: readonly ResourceInfo[],
  core: boolean,
  version: string,
): AggregatedDiscovery {
  const groups = Map.groupBy(
    served.filter(({ group }) => (group === "") === core),
    ({ group }) => group,
  );
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: [...groups].map(([group, resources]) => ({
      metadata: group === "" ? {} : { name: group },
      versions: [...Map.groupBy(resources, (info) => info.version)].map(([one, infos]) => ({
        version: one,
        resources: infos.map(discovered),
        freshness: "Current" as const,
      })),
    })),
  };
}
