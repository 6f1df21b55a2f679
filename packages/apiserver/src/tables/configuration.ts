import type { ConfigMap, ResourceQuota, Secret, ServiceAccount } from "@dhow/kube";
import { ageColumn, column, nameColumn, table } from "./definition.ts";
import { since } from "./duration.ts";

const configMaps = table<ConfigMap>({
  columns: [nameColumn, column("Data", "string", "Number of entries."), ageColumn],
  cells: ({ metadata, data, binaryData }, now) => [
    metadata.name ?? "",
    Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    since(metadata.creationTimestamp, now),
  ],
});

const secrets = table<Secret>({
  columns: [nameColumn, column("Type"), column("Data", "string", "Number of entries."), ageColumn],
  cells: ({ metadata, type, data }, now) => [
    metadata.name ?? "",
    type ?? "Opaque",
    Object.keys(data ?? {}).length,
    since(metadata.creationTimestamp, now),
  ],
});

const serviceAccounts = table<ServiceAccount>({
  columns: [nameColumn, ageColumn],
  cells: ({ metadata }, now) => [metadata.name ?? "", since(metadata.creationTimestamp, now)],
});

const resourceQuotas = table<ResourceQuota>({
  columns: [
    nameColumn,
    column("Request", "string", "Used and allowed of everything but limits."),
    column("Limit", "string", "Used and allowed of limits."),
    ageColumn,
  ],
  cells: ({ metadata, status }, now) => {
    const lines = Object.entries(status?.hard ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([resource, hard]) => ({
        limit: resource.startsWith("limits."),
        text: `${resource}: ${status?.used?.[resource] ?? "0"}/${hard}`,
      }));
    const cell = (limit: boolean) => lines.filter((line) => line.limit === limit).map(({ text }) => text);
    return [metadata.name ?? "", cell(false).join(", "), cell(true).join(", "), since(metadata.creationTimestamp, now)];
  },
});

export const configurationTables = {
  configmaps: configMaps,
  secrets,
  serviceaccounts: serviceAccounts,
  resourcequotas: resourceQuotas,
} as const;
