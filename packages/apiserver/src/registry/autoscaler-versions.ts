import { clone, type HorizontalPodAutoscaler, type KubeObject } from "@dhow/kube";

// autoscaling/v1 knows one metric, the processor; what else v2 says travels in annotations (pkg/apis/autoscaling/v1/conversion.go).

type Spec = NonNullable<HorizontalPodAutoscaler["spec"]>;
type Status = NonNullable<HorizontalPodAutoscaler["status"]>;
type Metric = NonNullable<Spec["metrics"]>[number];
type CurrentMetric = NonNullable<Status["currentMetrics"]>[number];

interface SpecV1 {
  readonly targetCPUUtilizationPercentage?: number;
  readonly [field: string]: unknown;
}

const annotations = {
  metrics: "autoscaling.alpha.kubernetes.io/metrics",
  behavior: "autoscaling.alpha.kubernetes.io/behavior",
  conditions: "autoscaling.alpha.kubernetes.io/conditions",
  currentMetrics: "autoscaling.alpha.kubernetes.io/current-metrics",
} as const;

function isProcessorUse(metric: Metric): boolean {
  return (
    metric.type === "Resource" && metric.resource?.name === "cpu" && metric.resource.target?.averageUtilization != null
  );
}

function isCurrentProcessorUse(metric: CurrentMetric): boolean {
  return (
    metric.type === "Resource" && metric.resource?.name === "cpu" && metric.resource.current?.averageUtilization != null
  );
}

export function autoscalerToV1(stored: KubeObject): KubeObject {
  const { spec: wanted, status: found } = stored as HorizontalPodAutoscaler;
  const { behavior, metrics = [], ...spec } = wanted ?? {};
  const { conditions, currentMetrics, ...status } = (found ?? {}) as Status;
  const processor = metrics.find(isProcessorUse);
  const currentProcessor = (currentMetrics ?? []).find(isCurrentProcessorUse);
  const target = processor?.resource?.target?.averageUtilization;
  const current = currentProcessor?.resource?.current?.averageUtilization;
  const kept = { ...stored.metadata.annotations };
  const keep = (name: keyof typeof annotations, value: unknown) => {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) {
      kept[annotations[name]] = JSON.stringify(value);
    }
  };
  keep(
    "metrics",
    metrics.filter((metric) => metric !== processor),
  );
  keep("behavior", behavior);
  keep("conditions", conditions ?? []);
  keep(
    "currentMetrics",
    (currentMetrics ?? []).filter((metric) => metric !== currentProcessor),
  );
  return {
    ...stored,
    apiVersion: "autoscaling/v1",
    metadata: { ...stored.metadata, ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}) },
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      currentReplicas: 0,
      ...status,
      ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
    },
  };
}

export function autoscalerFromV1(object: KubeObject): KubeObject {
  const given = clone(object);
  const { targetCPUUtilizationPercentage: target, ...spec } = (given["spec"] ?? {}) as SpecV1;
  const { currentCPUUtilizationPercentage: current, ...status } = (given["status"] ?? {}) as Record<string, unknown>;
  const rest = { ...given.metadata.annotations };
  const take = (name: keyof typeof annotations): unknown => {
    const text = rest[annotations[name]];
    delete rest[annotations[name]];
    return parsed(text);
  };
  const metrics: Metric[] = (take("metrics") ?? []) as Metric[];
  const behavior = take("behavior");
  const conditions = take("conditions");
  const currentMetrics = (take("currentMetrics") ?? []) as CurrentMetric[];
  if (target !== undefined) {
    const use = { type: "Utilization", averageUtilization: target };
    metrics.unshift({ type: "Resource", resource: { name: "cpu", target: use } });
  }
  if (typeof current === "number") {
    const use = { averageUtilization: current };
    currentMetrics.unshift({ type: "Resource", resource: { name: "cpu", current: use } });
  }
  const { annotations: _, ...metadata } = given.metadata;
  return {
    ...given,
    apiVersion: "autoscaling/v2",
    metadata: { ...metadata, ...(Object.keys(rest).length > 0 ? { annotations: rest } : {}) },
    spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
    status: {
      ...status,
      ...(currentMetrics.length > 0 ? { currentMetrics } : {}),
      ...(conditions ? { conditions } : {}),
    },
  };
}

/** An annotation that cannot be read says nothing. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
