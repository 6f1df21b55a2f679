import type { APIService, ComponentStatus, Lease, Namespace, Node, PriorityClass, RuntimeClass } from "@dhow/kube";
import { none } from "./cells.ts";
import { ageColumn, column, nameColumn, table, wide } from "./definition.ts";
import { since } from "./duration.ts";

const nodes = table<Node>({
  columns: [
    nameColumn,
    column("Status"),
    column("Roles"),
    ageColumn,
    column("Version", "string", "Version of the kubelet."),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
  ],
  cells: (node, now) => {
    const info = node.status?.nodeInfo;
    const architecture = info?.architecture ? ` (${info.architecture})` : "";
    return [
      node.metadata.name ?? "",
      nodeStatus(node),
      nodeRoles(node).join(",") || none,
      since(node.metadata.creationTimestamp, now),
      info?.kubeletVersion ?? "",
      address(node, "InternalIP"),
      address(node, "ExternalIP"),
      info?.osImage || "<unknown>",
      `${info?.kernelVersion || "<unknown>"}${architecture}`,
      info?.containerRuntimeVersion || "<unknown>",
    ];
  },
});

function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  let text = "Unknown";
  if (ready) text = ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

const roleLabel = "node-role.kubernetes.io/";

function nodeRoles({ metadata }: Node): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(roleLabel) && key.length > roleLabel.length) roles.add(key.slice(roleLabel.length));
    if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return [...roles].sort((a, b) => (a < b ? -1 : 1));
}

function address({ status }: Node, type: string): string {
  return status?.addresses?.find((one) => one.type === type)?.address ?? none;
}

const namespaces = table<Namespace>({
  columns: [nameColumn, column("Status"), ageColumn],
  cells: ({ metadata, status }, now) => [
    metadata.name ?? "",
    status?.phase ?? "",
    since(metadata.creationTimestamp, now),
  ],
});

const leases = table<Lease>({
  columns: [nameColumn, column("Holder"), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? "",
    spec?.holderIdentity ?? "",
    since(metadata.creationTimestamp, now),
  ],
});

const priorityClasses = table<PriorityClass>({
  columns: [
    nameColumn,
    column("Value", "integer"),
    column("Global-Default", "boolean"),
    ageColumn,
    column("PreemptionPolicy"),
  ],
  cells: (priorityClass, now) => [
    priorityClass.metadata.name ?? "",
    priorityClass.value ?? 0,
    priorityClass.globalDefault ?? false,
    since(priorityClass.metadata.creationTimestamp, now),
    priorityClass.preemptionPolicy ?? "",
  ],
});

const runtimeClasses = table<RuntimeClass>({
  columns: [nameColumn, column("Handler"), ageColumn],
  cells: ({ metadata, handler }, now) => [metadata.name ?? "", handler, since(metadata.creationTimestamp, now)],
});

const componentStatuses = table<ComponentStatus>({
  columns: [nameColumn, column("Status"), column("Message"), column("Error")],
  cells: ({ metadata, conditions }) => {
    const healthy = conditions?.find(({ type }) => type === "Healthy");
    const status = healthy?.status === "True" ? "Healthy" : "Unhealthy";
    return [metadata.name ?? "", healthy ? status : "Unknown", healthy?.message ?? "", healthy?.error ?? ""];
  },
});

const apiServices = table<APIService>({
  columns: [nameColumn, column("Service"), column("Available"), ageColumn],
  cells: ({ metadata, spec, status }, now) => {
    const available = status?.conditions?.find(({ type }) => type === "Available");
    const reason = available?.status === "True" ? "True" : `${available?.status} (${available?.reason ?? ""})`;
    return [
      metadata.name ?? "",
      spec?.service ? `${spec.service.namespace}/${spec.service.name}` : "Local",
      available ? reason : "Unknown",
      since(metadata.creationTimestamp, now),
    ];
  },
});

export const clusterTables = {
  nodes,
  namespaces,
  "leases.coordination.k8s.io": leases,
  "priorityclasses.scheduling.k8s.io": priorityClasses,
  "runtimeclasses.node.k8s.io": runtimeClasses,
  componentstatuses: componentStatuses,
  "apiservices.apiregistration.k8s.io": apiServices,
} as const;
