import type { Pod, PodTemplate, ReplicationController } from "@dhow/kube";
import { containerCells, labelsCell, none } from "./cells.ts";
import { ageColumn, column, nameColumn, type RowCondition, table, wide } from "./definition.ts";
import { since } from "./duration.ts";
import { podSummary } from "./pod-summary.ts";

const succeeded: readonly RowCondition[] = [
  {
    type: "Completed",
    status: "True",
    reason: "Succeeded",
    message: "The pod has completed successfully.",
  },
];
const failed: readonly RowCondition[] = [
  { type: "Completed", status: "True", reason: "Failed", message: "The pod failed." },
];

const pods = table<Pod>({
  columns: [
    nameColumn,
    column("Ready", "string", "Containers that are ready, of all."),
    column("Status", "string", "What the pod as a whole is doing."),
    column("Restarts", "string", "How often containers were restarted, and when last."),
    ageColumn,
    wide("IP", "Address of the pod."),
    wide("Node", "Node that the pod runs on."),
    wide("Nominated Node", "Node that is being cleared for the pod."),
    wide("Readiness Gates", "Conditions of others that hold, of all that the pod waits for."),
  ],
  cells: (pod, now) => {
    const { ready, total, status, restarts } = podSummary(pod, now);
    return [
      pod.metadata.name ?? "",
      `${ready}/${total}`,
      status,
      restarts,
      since(pod.metadata.creationTimestamp, now),
      pod.status?.podIPs?.[0]?.ip || none,
      pod.spec.nodeName || none,
      pod.status?.nominatedNodeName || none,
      readinessGates(pod),
    ];
  },
  conditions: ({ status }) => {
    if (status?.phase === "Succeeded") return succeeded;
    return status?.phase === "Failed" ? failed : undefined;
  },
});

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return none;
  const holds = (type: string) => pod.status?.conditions?.find((one) => one.type === type)?.status === "True";
  return `${gates.filter((gate) => holds(gate.conditionType)).length}/${gates.length}`;
}

const podTemplates = table<PodTemplate>({
  columns: [nameColumn, column("Containers"), column("Images"), column("Pod Labels")],
  cells: ({ metadata, template }) => [
    metadata.name ?? "",
    ...containerCells(template?.spec?.containers),
    labelsCell(template?.metadata?.labels),
  ],
});

const replicationControllers = table<ReplicationController>({
  columns: [
    nameColumn,
    column("Desired", "integer"),
    column("Current", "integer"),
    column("Ready", "integer"),
    ageColumn,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    since(metadata.creationTimestamp, now),
    ...containerCells(spec?.template?.spec?.containers),
    labelsCell(spec?.selector),
  ],
});

export const podTables = {
  pods,
  podtemplates: podTemplates,
  replicationcontrollers: replicationControllers,
} as const;
