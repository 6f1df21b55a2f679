import {
  type FieldFault,
  fieldFault,
  type HorizontalPodAutoscaler,
  type HPAScalingRules,
  type MetricSpec,
  type MetricTarget,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { pathSegmentName } from "../validation/names.ts";
import { compareQuantities } from "../validation/quantities.ts";

// pkg/apis/autoscaling/v2/defaults.go, pkg/apis/autoscaling/validation/validation.go

const { forbidden, invalid, notSupported, required } = fieldFault;

/** As the group's newest version says it, which is the one that is stored. */
type Autoscaler = HorizontalPodAutoscaler;

export const horizontalPodAutoscalers: Strategy = {
  hasGeneration: false,
  applyDefaults(object) {
    const { spec } = object as Autoscaler;
    if (!spec) return;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) {
      const target = { type: "Utilization" as const, averageUtilization: 80 };
      spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
    }
    if (!spec.behavior) return;
    const quarterMinute = 15;
    const double = { type: "Percent" as const, value: 100, periodSeconds: quarterMinute };
    const fourMore = { type: "Pods" as const, value: 4, periodSeconds: quarterMinute };
    spec.behavior.scaleUp = {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [fourMore, double],
      ...spec.behavior.scaleUp,
    };
    spec.behavior.scaleDown = { selectPolicy: "Max", policies: [double], ...spec.behavior.scaleDown };
  },
  prepareForCreate(object) {
    (object as Autoscaler).status = { desiredReplicas: 0, currentMetrics: null } as unknown as NonNullable<
      Autoscaler["status"]
    >;
  },
  validate: (object) => [...autoscalerFaults(object as Autoscaler)],
};

function* autoscalerFaults({ spec }: Autoscaler): Generator<FieldFault> {
  if (!spec) return;
  const { minReplicas } = spec;
  const maxReplicas = spec.maxReplicas ?? 0;
  if (minReplicas !== undefined && minReplicas < 1) {
    yield invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1");
  }
  if (maxReplicas < 1) yield required("spec.maxReplicas", "must be set and greater than 0");
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    yield invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`");
  }
  yield* scaleTargetFaults(spec.scaleTargetRef, "spec.scaleTargetRef");
  for (const [index, metric] of (spec.metrics ?? []).entries()) yield* metricFaults(metric, `spec.metrics[${index}]`);
  const countsOthers = spec.metrics?.some(({ type }) => type === "Object" || type === "External");
  if (minReplicas === 0 && !countsOthers) {
    const message = "must specify at least one Object or External metric to support scaling to zero replicas";
    yield forbidden("spec.metrics", message);
  }
  yield* rulesFaults(spec.behavior?.scaleUp, "spec.behavior.scaleUp");
  yield* rulesFaults(spec.behavior?.scaleDown, "spec.behavior.scaleDown");
}

interface Reference {
  readonly kind?: string;
  readonly name?: string;
  readonly apiVersion?: string;
}

function* referenceFaults(reference: Reference | undefined, at: string): Generator<FieldFault> {
  for (const field of ["kind", "name"] as const) {
    const value = reference?.[field];
    if (!value) yield required(`${at}.${field}`);
    else for (const message of pathSegmentName(value, false)) yield invalid(`${at}.${field}`, value, message);
  }
}

/** What is scaled is found by its group; what a metric is about may be of the oldest one (ValidateAPIVersion in pkg/apis/autoscaling/validation). */
function* scaleTargetFaults(reference: Reference | undefined, at: string): Generator<FieldFault> {
  yield* referenceFaults(reference, at);
  const version = reference?.apiVersion ?? "";
  if (!version.includes("/") && reference?.kind !== "ReplicationController") {
    yield invalid(`${at}.apiVersion`, version, "apiVersion must specify API group");
  }
}

const sources = {
  Object: "object",
  Pods: "pods",
  Resource: "resource",
  External: "external",
  ContainerResource: "containerResource",
} as const;
const typeNames = Object.keys(sources).sort();

function* metricFaults(metric: MetricSpec, at: string): Generator<FieldFault> {
  const { type } = metric;
  if (!type) yield required(`${at}.type`, "must specify a metric source type");
  const expected = (sources as Record<string, (typeof sources)[keyof typeof sources] | undefined>)[type ?? ""];
  if (!expected) {
    yield notSupported(`${at}.type`, type ?? "", typeNames);
    yield notSupported(`${at}.type`, type ?? "", typeNames);
    return;
  }
  if (!metric[expected]) yield required(`${at}.${expected}`, "must populate information for the given metric source");
  for (const other of Object.values(sources)) {
    if (other !== expected && metric[other])
      yield forbidden(`${at}.${other}`, "must populate the given metric source only");
  }
  yield* sourceFaults(metric, expected, `${at}.${expected}`);
}

function* sourceFaults(
  metric: MetricSpec,
  kind: (typeof sources)[keyof typeof sources],
  at: string,
): Generator<FieldFault> {
  const source = metric[kind];
  if (!source) return;
  const { target } = source;
  if (kind === "object") yield* referenceFaults(metric.object?.describedObject, `${at}.describedObject`);
  if ("metric" in source && !source.metric.name) yield required(`${at}.metric.name`, "must specify a metric name");
  if ("name" in source && !source.name) yield required(`${at}.name`, "must specify a resource name");
  if (kind === "containerResource" && !metric.containerResource?.container) {
    yield required(`${at}.container`, "must specify a container");
  }
  yield* targetFaults(target, `${at}.target`);
  if (kind === "resource" || kind === "containerResource") {
    if (target?.averageUtilization === undefined && target?.averageValue === undefined) {
      yield required(`${at}.target.averageUtilization`, "must set either a target raw value or a target utilization");
    } else if (target.averageUtilization !== undefined && target.averageValue !== undefined) {
      yield forbidden(`${at}.target.averageValue`, "may not set both a target raw value and a target utilization");
    }
  } else if (kind === "pods") {
    if (target?.averageValue === undefined) {
      yield required(`${at}.target.averageValue`, "must specify a positive target averageValue");
    }
  } else if (target?.value === undefined && target?.averageValue === undefined) {
    const message =
      kind === "object"
        ? "must set either a target value or averageValue"
        : "must set either a target value for metric or a per-pod target";
    yield required(`${at}.target.averageValue`, message);
  }
}

function* targetFaults(target: MetricTarget | undefined, at: string): Generator<FieldFault> {
  if (!target?.type) yield required(`${at}.type`, "must specify a metric target type");
  if (!["Utilization", "Value", "AverageValue"].includes(target?.type ?? "")) {
    yield invalid(`${at}.type`, target?.type ?? "", "must be either Utilization, Value, or AverageValue");
  }
  for (const field of ["value", "averageValue"] as const) {
    const amount = target?.[field];
    if (amount !== undefined && compareQuantities(amount, "0") <= 0)
      yield invalid(`${at}.${field}`, amount, "must be positive");
  }
  const utilization = target?.averageUtilization;
  if (utilization !== undefined && utilization < 1) {
    yield invalid(`${at}.averageUtilization`, utilization, "must be greater than 0");
  }
}

function* rulesFaults(rules: HPAScalingRules | undefined, at: string): Generator<FieldFault> {
  if (!rules) return;
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && window < 0) {
    yield invalid(`${at}.stabilizationWindowSeconds`, window, "must be greater than or equal to zero");
  }
  if (window !== undefined && window > 3600) {
    yield invalid(`${at}.stabilizationWindowSeconds`, window, "must be less than or equal to 3600");
  }
  const selections = ["Disabled", "Max", "Min"];
  if (rules.selectPolicy !== undefined && !selections.includes(rules.selectPolicy)) {
    yield notSupported(`${at}.selectPolicy`, rules.selectPolicy, selections);
  }
  const policies = rules.policies ?? [];
  if (policies.length === 0) yield required(`${at}.policies`, "must specify at least one Policy");
  for (const [index, policy] of policies.entries()) {
    const place = `${at}.policies[${index}]`;
    if (policy.type !== "Pods" && policy.type !== "Percent")
      yield notSupported(`${place}.type`, policy.type, ["Percent", "Pods"]);
    if (!(policy.value > 0)) yield invalid(`${place}.value`, policy.value ?? 0, "must be greater than zero");
    if (!(policy.periodSeconds > 0)) {
      yield invalid(`${place}.periodSeconds`, policy.periodSeconds ?? 0, "must be greater than zero");
    }
    if (policy.periodSeconds > 1800) {
      yield invalid(`${place}.periodSeconds`, policy.periodSeconds, "must be less than or equal to 1800");
    }
  }
}
