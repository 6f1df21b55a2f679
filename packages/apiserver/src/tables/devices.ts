import type {
  DeviceClass,
  ResourceClaimTemplate,
  ResourceResourceClaim as ResourceClaim,
  ResourceSlice,
} from "@dhow/kube";
import { ageColumn, column, nameColumn, table } from "./definition.ts";
import { since } from "./duration.ts";

const deviceClasses = table<DeviceClass>({
  columns: [nameColumn, ageColumn],
  cells: ({ metadata }, now) => [metadata.name ?? "", since(metadata.creationTimestamp, now)],
});

const resourceClaims = table<ResourceClaim>({
  columns: [nameColumn, column("State"), ageColumn],
  cells: (claim, now) => [claim.metadata.name ?? "", claimState(claim), since(claim.metadata.creationTimestamp, now)],
});

function claimState({ metadata, status }: ResourceClaim): string {
  const states = metadata.deletionTimestamp ? ["deleted"] : [];
  if (status?.allocation) states.push("allocated", ...(status.reservedFor?.length ? ["reserved"] : []));
  else if (!metadata.deletionTimestamp) states.push("pending");
  return states.join(",");
}

const resourceClaimTemplates = table<ResourceClaimTemplate>({
  columns: [nameColumn, ageColumn],
  cells: ({ metadata }, now) => [metadata.name ?? "", since(metadata.creationTimestamp, now)],
});

const resourceSlices = table<ResourceSlice>({
  columns: [nameColumn, column("Node"), column("Driver"), column("Pool"), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    spec.nodeName ?? "",
    spec.driver,
    spec.pool.name,
    since(metadata.creationTimestamp, now),
  ],
});

export const deviceTables = {
  "deviceclasses.resource.k8s.io": deviceClasses,
  "resourceclaims.resource.k8s.io": resourceClaims,
  "resourceclaimtemplates.resource.k8s.io": resourceClaimTemplates,
  "resourceslices.resource.k8s.io": resourceSlices,
} as const;
