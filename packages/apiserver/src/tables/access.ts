import type { CertificateSigningRequest, ClusterRoleBinding, RoleBinding } from "@dhow/kube";
import { none } from "./cells.ts";
import { ageColumn, type Cell, column, nameColumn, table, wide } from "./definition.ts";
import { humanDuration, since } from "./duration.ts";

const bindingColumns = [nameColumn, column("Role"), ageColumn, wide("Users"), wide("Groups"), wide("ServiceAccounts")];

function bindingCells({ metadata, roleRef, subjects }: RoleBinding | ClusterRoleBinding, now: number): Cell[] {
  const all = subjects ?? [];
  const names = (kind: string) => all.filter((one) => one.kind === kind).map(({ name }) => name);
  const accounts = all.filter(({ kind }) => kind === "ServiceAccount");
  return [
    metadata.name ?? "",
    `${roleRef.kind}/${roleRef.name}`,
    since(metadata.creationTimestamp, now),
    names("User").join(", "),
    names("Group").join(", "),
    accounts.map(({ namespace, name }) => `${namespace ?? ""}/${name}`).join(", "),
  ];
}

const certificateSigningRequests = table<CertificateSigningRequest>({
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName"),
    column("Requestor"),
    column("RequestedDuration"),
    column("Condition"),
  ],
  cells: (request, now) => {
    const { metadata, spec } = request;
    return [
      metadata.name ?? "",
      since(metadata.creationTimestamp, now),
      spec.signerName || none,
      spec.username ?? "",
      spec.expirationSeconds === undefined ? none : humanDuration(spec.expirationSeconds * 1000),
      requestCondition(request),
    ];
  },
});

function requestCondition({ status }: CertificateSigningRequest): string {
  const has = (type: string) => status?.conditions?.some((one) => one.type === type) ?? false;
  const decided = has("Approved") ? "Approved" : "Pending";
  const parts = [has("Denied") ? "Denied" : decided];
  if (has("Failed")) parts.push("Failed");
  if (status?.certificate) parts.push("Issued");
  return parts.join(",");
}

export const accessTables = {
  "rolebindings.rbac.authorization.k8s.io": table<RoleBinding>({ columns: bindingColumns, cells: bindingCells }),
  "clusterrolebindings.rbac.authorization.k8s.io": table<ClusterRoleBinding>({
    columns: bindingColumns,
    cells: bindingCells,
  }),
  "certificatesigningrequests.certificates.k8s.io": certificateSigningRequests,
} as const;
