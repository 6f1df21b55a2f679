import { type KubeClient, readJson } from "@dhow/kube";

/** A resource that can be listed, watched and deleted. */
export interface DiscoveredResource {
  readonly apiVersion: string;
  readonly group: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface AggregatedGroup {
  metadata: { name?: string };
  versions?: {
    version: string;
    resources?: { resource: string; scope: string; verbs: string[]; responseKind?: { kind: string } }[];
  }[];
}

const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** What the server serves now, each resource in the version that it prefers: custom ones included. */
export async function discover(client: KubeClient): Promise<DiscoveredResource[]> {
  const found: DiscoveredResource[] = [];
  for (const path of ["/api", "/apis"]) {
    const response = await client.raw({ method: "GET", path, headers: { accept } });
    const list = (await readJson(response)) as { items?: AggregatedGroup[] };
    for (const group of list.items ?? []) found.push(...ofGroup(group));
  }
  return found;
}

function ofGroup({ metadata, versions = [] }: AggregatedGroup): DiscoveredResource[] {
  const group = metadata.name ?? "";
  const seen = new Set<string>();
  return versions.flatMap(({ version, resources = [] }) =>
    resources.flatMap((resource) => {
      // Versions come in the order of the server's preference.
      if (seen.has(resource.resource) || !resource.responseKind) return [];
      seen.add(resource.resource);
      const apiVersion = group ? `${group}/${version}` : version;
      const namespaced = resource.scope === "Namespaced";
      const { kind } = resource.responseKind;
      return [{ apiVersion, group, kind, resource: resource.resource, namespaced, verbs: resource.verbs }];
    }),
  );
}
