import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  PodDisruptionBudget,
} from "@dhow/kube";
import { none, unset } from "./cells.ts";
import { ageColumn, column, nameColumn, table } from "./definition.ts";
import { since } from "./duration.ts";

const podDisruptionBudgets = table<PodDisruptionBudget>({
  columns: [
    nameColumn,
    column("Min Available"),
    column("Max Unavailable"),
    column("Allowed Disruptions", "integer", "Pods that may be evicted now."),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    String(spec?.minAvailable ?? "N/A"),
    String(spec?.maxUnavailable ?? "N/A"),
    status?.disruptionsAllowed ?? 0,
    since(metadata.creationTimestamp, now),
  ],
});

const autoscalerColumns = [
  nameColumn,
  column("Reference", "string", "What is scaled."),
  column("Targets", "string", "Metrics as they are, and as they should be."),
  column("MinPods"),
  column("MaxPods"),
  column("Replicas"),
  ageColumn,
];

const autoscalers = table<HorizontalPodAutoscaler>({
  columns: autoscalerColumns,
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    targetsCell(spec.metrics ?? [], status?.currentMetrics ?? []),
    spec.minReplicas === undefined ? unset : String(spec.minReplicas),
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    since(metadata.creationTimestamp, now),
  ],
});

const autoscalersV1 = table<HorizontalPodAutoscalerV1>({
  columns: autoscalerColumns,
  cells: ({ metadata, spec, status }, now) => {
    const { targetCPUUtilizationPercentage: target } = spec;
    const { currentCPUUtilizationPercentage: current } = status ?? {};
    const metrics = target === undefined ? [] : [`cpu: ${percentage(current, "<unknown>")}/${target}%`];
    return [
      metadata.name ?? "",
      `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
      metrics.join(", ") || none,
      spec.minReplicas === undefined ? unset : String(spec.minReplicas),
      spec.maxReplicas,
      status?.currentReplicas ?? 0,
      since(metadata.creationTimestamp, now),
    ];
  },
});

/** The first two metrics, and how many more there are. */
function targetsCell(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return none;
  const texts = specs.map((spec, at) => metricText(spec, statuses[at]));
  const shown = texts.slice(0, 2).join(", ");
  return texts.length > 2 ? `${shown} + ${texts.length - 2} more...` : shown;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case "External":
      return valueText(spec.external?.target, status?.external?.current);
    case "Object":
      return valueText(spec.object?.target, status?.object?.current);
    case "Pods":
      return `${status?.pods?.current.averageValue ?? "<unknown>"}/${spec.pods?.target.averageValue ?? "0"}`;
    case "Resource":
      return `${spec.resource?.name}: ${shareText(spec.resource?.target, status?.resource?.current)}`;
    case "ContainerResource":
      return `${spec.containerResource?.name}: ${shareText(spec.containerResource?.target, status?.containerResource?.current)}`;
    default:
      return "<unknown type>";
  }
}

function valueText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? "<unknown>"}/${target.averageValue} (avg)`;
  return `${current?.value ?? "<unknown>"}/${target?.value ?? "0"}`;
}

function shareText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? "<unknown>"}/${target.averageValue}`;
  return `${percentage(current?.averageUtilization, "<unknown>")}/${percentage(target?.averageUtilization, "<auto>")}`;
}

function percentage(value: number | undefined, otherwise: string): string {
  return value === undefined ? otherwise : `${value}%`;
}

export const policyTables = {
  "poddisruptionbudgets.policy": podDisruptionBudgets,
  "horizontalpodautoscalers.autoscaling": autoscalers,
} as const;

/** Where a version of a resource has fields of its own. */
export const versionedTables = {
  "horizontalpodautoscalers.autoscaling/v1": autoscalersV1,
} as const;
