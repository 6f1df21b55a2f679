// The table of resources that a stock API server serves, from its aggregated discovery.
import type { PublishedGroup } from "./real-api.ts";

/** As `packages/kube/src/generated/resources.json`: one line a resource. */
export function resourceTable(groups: readonly PublishedGroup[]): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  for (const group of groups) {
    for (const { version, resources } of group.versions) {
      for (const one of resources) {
        const { resource, responseKind, scope, singularResource, verbs, shortNames, categories } = one;
        rows.push({
          group: group.metadata.name ?? "",
          version,
          kind: responseKind.kind,
          resource,
          singular: singularResource,
          namespaced: scope === "Namespaced",
          shortNames: shortNames ?? [],
          categories: categories ?? [],
          verbs,
          subresources: (one.subresources ?? []).map((sub) => ({
            name: sub.subresource,
            ...(sub.responseKind && {
              kind: sub.responseKind.kind,
              ...(sub.responseKind.version !== "" && {
                group: sub.responseKind.group,
                version: sub.responseKind.version,
              }),
            }),
            verbs: sub.verbs,
          })),
        });
      }
    }
  }
  return rows;
}
