import {
  type Container,
  type HorizontalPodAutoscaler,
  type KubeObject,
  type MetricSpec,
  type MetricStatus,
  parseLabelSelector,
  labelMatcher,
  type Pod,
  Quantity,
} from "@dhow/kube";
import { findCondition } from "../conditions.ts";
import { kinds } from "../kinds.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, millisecondsOf, nameOf, namespaceOf } from "../objects.ts";
import { milliValue } from "../quantities.ts";
import { type MeasuredPod, replicasFor, type Sample, type Tolerance } from "./replicas.ts";

interface PodMetrics extends KubeObject {
  timestamp?: string;
  window?: string;
  containers?: { name: string; usage: Record<string, string> }[];
}

/** What one metric of an autoscaler says. */
export interface Proposal {
  readonly replicas: number;
  /** Its name in conditions and events. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** A metric that gave nothing: the reason of the condition and of the event. */
export class MetricFailure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Asks one metric (computeReplicasForMetric). Amounts are in thousandths throughout. */
export async function propose(
  manager: Manager,
  autoscaler: HorizontalPodAutoscaler,
  metric: MetricSpec,
  scale: { readonly current: number; readonly selector: string; readonly tolerance: Tolerance },
): Promise<Proposal> {
  const source = metric.type === "ContainerResource" ? metric.containerResource : metric.resource;
  if ((metric.type !== "Resource" && metric.type !== "ContainerResource") || !source) {
    const message = `unable to get ${metric.type.toLowerCase()} metric: no custom metrics API is available`;
    throw new MetricFailure(`FailedGet${metric.type}Metric`, message);
  }
  const container = metric.containerResource?.container;
  const reason = container === undefined ? "FailedGetResourceMetric" : "FailedGetContainerResourceMetric";
  const { averageUtilization, averageValue } = source.target;
  try {
    const answer = replicasFor({
      current: scale.current,
      pods: podsOf(
        manager,
        autoscaler,
        scale.selector,
        averageUtilization === undefined ? undefined : source.name,
        container,
      ),
      samples: await samplesOf(manager, autoscaler, scale.selector, source.name, container),
      target:
        averageUtilization === undefined ? { average: milliValue(averageValue) } : { utilization: averageUtilization },
      isCpu: source.name === "cpu",
      tolerance: scale.tolerance,
      now: manager.clock.now(),
    });
    const current = {
      averageValue: amount(source.name, answer.average),
      ...(answer.utilization === undefined ? {} : { averageUtilization: answer.utilization }),
    };
    const what = `${source.name} ${container === undefined ? "resource" : "container resource"}`;
    return {
      replicas: answer.replicas,
      name: answer.utilization === undefined ? what : `${what} utilization (percentage of request)`,
      status:
        container === undefined
          ? { type: "Resource", resource: { name: source.name, current } }
          : { type: "ContainerResource", containerResource: { name: source.name, container, current } },
    };
  } catch (error) {
    const what = averageUtilization === undefined ? "usage" : "utilization";
    throw new MetricFailure(
      reason,
      `failed to get ${source.name} ${what}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function amount(resource: string, thousandths: number): string {
  return (
    resource === "cpu" ? Quantity.ofMilli(thousandths) : Quantity.parse(String(Math.trunc(thousandths / 1000)))
  ).toString();
}

function selected(manager: Manager, autoscaler: HorizontalPodAutoscaler, selector: string): Pod[] {
  const matches = labelMatcher(parseLabelSelector(selector));
  return manager
    .informer(kinds.pod)
    .list(namespaceOf(autoscaler))
    .filter((pod) => matches(pod.metadata.labels));
}

function podsOf(
  manager: Manager,
  autoscaler: HorizontalPodAutoscaler,
  selector: string,
  resource: string | undefined,
  container: string | undefined,
): MeasuredPod[] {
  return selected(manager, autoscaler, selector).map((pod) => {
    const ready = findCondition(pod.status?.conditions, "Ready");
    return {
      name: nameOf(pod),
      phase: pod.status?.phase ?? "Pending",
      deleting: isDeleting(pod),
      startTime: pod.status?.startTime ? millisecondsOf(pod.status.startTime) : undefined,
      ready: ready && { status: ready.status === "True", since: millisecondsOf(ready.lastTransitionTime) },
      request: resource === undefined ? undefined : requestOf(pod, resource, container),
    };
  });
}

function requestOf(pod: Pod, resource: string, only: string | undefined): number {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const containers: Container[] = [...pod.spec.containers, ...sidecars].filter(
    ({ name }) => only === undefined || name === only,
  );
  return containers.reduce((sum, { name, resources }) => {
    const request = resources?.requests?.[resource];
    if (request === undefined)
      throw new Error(`missing request for ${resource} in container ${name} of Pod ${nameOf(pod)}`);
    return sum + milliValue(request);
  }, 0);
}

async function samplesOf(
  manager: Manager,
  autoscaler: HorizontalPodAutoscaler,
  labelSelector: string,
  resource: string,
  container: string | undefined,
): Promise<Map<string, Sample>> {
  const ref = { apiVersion: "metrics.k8s.io/v1beta1", kind: "PodMetrics", namespace: namespaceOf(autoscaler) };
  let items: PodMetrics[];
  try {
    items = (await manager.client.list<PodMetrics>(ref, { labelSelector })).items;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `unable to get metrics for resource ${resource}: unable to fetch metrics from resource metrics API: ${why}`,
      { cause: error },
    );
  }
  if (items.length === 0) {
    throw new Error(`unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`);
  }
  return new Map(
    items.flatMap((item) => {
      const containers = (item.containers ?? []).filter(({ name }) => container === undefined || name === container);
      // A pod one of whose containers is not measured yet counts as not measured.
      if (containers.length === 0 || containers.some(({ usage }) => usage[resource] === undefined)) return [];
      const value = containers.reduce((sum, { usage }) => sum + milliValue(usage[resource]), 0);
      return [
        [nameOf(item), { value, at: millisecondsOf(item.timestamp), window: seconds(item.window) * 1000 }] as const,
      ];
    }),
  );
}

/** A Go duration such as `15s` or `1m0.5s`, in seconds. */
function seconds(duration: string | undefined): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001, us: 1e-6, ns: 1e-9 };
  let total = 0;
  for (const [, value, unit] of (duration ?? "60s").matchAll(/([0-9.]+)(ms|us|ns|h|m|s)/g))
    total += Number(value) * (units[unit ?? "s"] ?? 0);
  return total;
}
