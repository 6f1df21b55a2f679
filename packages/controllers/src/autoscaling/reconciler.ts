import { messageOf } from "@dhow/base";
import {
  deepEqual,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerCondition,
  isStatusError,
  type MetricSpec,
  type MetricStatus,
} from "@dhow/kube";
import { withStatusCondition } from "../conditions.ts";
import { kinds } from "../kinds.ts";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { namespaceOf, splitKey, timestamp } from "../objects.ts";
import { quantityValue, milliValue } from "../quantities.ts";
import {
  type Dated,
  downLimit,
  downRules,
  limit,
  plainUpLimit,
  type ScalingHistory,
  stabilize,
  upLimit,
  upRules,
} from "./behavior.ts";
import { MetricFailure, propose } from "./metrics.ts";

interface Scale {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number; readonly selector?: string };
  [field: string]: unknown;
}

interface History {
  recommendations: Dated[];
  scaleUps: Dated[];
  scaleDowns: Dated[];
}

interface Desire {
  readonly replicas: number;
  readonly reason: string;
  readonly metric: string;
  readonly statuses: MetricStatus[];
}

const defaultMetrics: MetricSpec[] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
];
const defaultTolerance = 0.1;
const defaultStabilization = 5 * 60_000;

/** One look at one autoscaler (pkg/controller/podautoscaler/horizontal.go, reconcileAutoscaler). */
export class AutoscalerReconciler {
  readonly #manager: Manager;
  readonly #recorder: EventRecorder;
  readonly #histories = new Map<string, History>();

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#recorder = manager.recorder("horizontal-pod-autoscaler");
  }

  async reconcile(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const found = this.#manager.informer(kinds.horizontalPodAutoscaler).get(namespace, name);
    if (!found) {
      this.#histories.delete(key);
      return;
    }
    let conditions = found.status?.conditions ?? [];
    const set = (type: string, good: boolean, reason: string, message: string) => {
      const next: HorizontalPodAutoscalerCondition = { type, status: good ? "True" : "False", reason, message };
      conditions = withStatusCondition(conditions, next, this.#manager.clock);
    };
    let scale: Scale;
    try {
      scale = await this.#manager.client.subresource<Scale>(targetRef(found), "scale", "GET");
    } catch (error) {
      const message = `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`;
      set("AbleToScale", false, "FailedGetScale", message);
      this.#recorder.event(found, "Warning", "FailedGetScale", messageOf(error));
      await this.#write(found, { conditions });
      if (isStatusError(error)) return;
      throw error;
    }
    set("AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
    await this.#decide(found, scale, key, set, () => conditions);
  }

  async #decide(
    found: HorizontalPodAutoscaler,
    scale: Scale,
    key: string,
    set: (type: string, good: boolean, reason: string, message: string) => void,
    conditions: () => HorizontalPodAutoscalerCondition[],
  ): Promise<void> {
    const current = scale.spec?.replicas ?? 0;
    const currentReplicas = scale.status?.replicas ?? current;
    const { maxReplicas: max, minReplicas: min = 1 } = found.spec ?? { maxReplicas: 1 };
    let desired = current;
    let reason = "";
    let statuses: MetricStatus[] = found.status?.currentMetrics ?? [];
    if (current === 0 && min !== 0) {
      set(
        "ScalingActive",
        false,
        "ScalingDisabled",
        "scaling is disabled since the replica count of the target is zero",
      );
      await this.#write(found, { conditions: conditions(), currentReplicas, desiredReplicas: 0 });
      return;
    }
    if (current > max) [desired, reason] = [max, "Current number of replicas above Spec.MaxReplicas"];
    else if (current < min) [desired, reason] = [min, "Current number of replicas below Spec.MinReplicas"];
    else {
      try {
        const desire = await this.#ask(found, scale, current);
        set(
          "ScalingActive",
          true,
          "ValidMetricFound",
          `the HPA was able to successfully calculate a replica count from ${desire.metric}`,
        );
        ({ statuses, reason } = desire);
        desired = this.#normalize(found, key, current, desire.replicas, { min, max }, set);
        if (desired < current) reason = "All metrics below target";
      } catch (error) {
        if (!(error instanceof MetricFailure)) throw error;
        set("ScalingActive", false, error.reason, `the HPA was unable to compute the replica count: ${error.message}`);
        this.#recorder.event(found, "Warning", error.reason, error.message);
        this.#recorder.event(
          found,
          "Warning",
          "FailedComputeMetricsReplicas",
          `invalid metrics (1 invalid out of 1), first error is: ${error.message}`,
        );
        await this.#write(found, { conditions: conditions(), currentReplicas, desiredReplicas: current });
        return;
      }
    }
    let lastScaleTime = found.status?.lastScaleTime;
    if (desired !== current) {
      await this.#rescale(found, scale, desired);
      set(
        "AbleToScale",
        true,
        "SucceededRescale",
        `the HPA controller was able to update the target scale to ${desired}`,
      );
      this.#recorder.event(found, "Normal", "SuccessfulRescale", `New size: ${desired}; reason: ${reason}`);
      this.#remember(key, current, desired);
      lastScaleTime = timestamp(this.#manager.clock);
    }
    const rest = { currentReplicas, desiredReplicas: desired, currentMetrics: statuses, lastScaleTime };
    await this.#write(found, { conditions: conditions(), ...rest });
  }

  /** The largest of what the metrics ask for; if one of them cannot be read, only growth is believed (computeReplicasForMetrics). */
  async #ask(found: HorizontalPodAutoscaler, scale: Scale, current: number): Promise<Desire> {
    const { behavior } = found.spec ?? {};
    const tolerance = {
      up: toleranceOf(behavior?.scaleUp?.tolerance),
      down: toleranceOf(behavior?.scaleDown?.tolerance),
    };
    const selector = scale.status?.selector ?? "";
    if (selector === "") throw new MetricFailure("InvalidSelector", "the HPA target's scale is missing a selector");
    const metrics = found.spec?.metrics?.length ? found.spec.metrics : defaultMetrics;
    let failure: MetricFailure | undefined;
    let best: Desire | undefined;
    const statuses: MetricStatus[] = [];
    for (const metric of metrics) {
      try {
        const proposal = await propose(this.#manager, found, metric, { current, selector, tolerance });
        statuses.push(proposal.status);
        if (best && proposal.replicas <= best.replicas) continue;
        best = {
          replicas: proposal.replicas,
          metric: proposal.name,
          reason: `${proposal.name} above target`,
          statuses,
        };
      } catch (error) {
        if (!(error instanceof MetricFailure)) throw error;
        failure ??= error;
      }
    }
    if (!best || (failure && best.replicas < current))
      throw failure ?? new MetricFailure("FailedGetResourceMetric", "no metrics");
    return best;
  }

  #normalize(
    found: HorizontalPodAutoscaler,
    key: string,
    current: number,
    proposed: number,
    bounds: { min: number; max: number },
    set: (type: string, good: boolean, reason: string, message: string) => void,
  ): number {
    const now = this.#manager.clock.now();
    const { behavior } = found.spec ?? {};
    const window = this.#manager.options.autoscalerDownscaleStabilizationMilliseconds ?? defaultStabilization;
    const up = upRules(behavior?.scaleUp);
    const down = downRules(behavior?.scaleDown, window);
    const history = this.#history(key);
    const stabilized = stabilize(current, proposed, up, down, history, now);
    const longest = Math.max(up.stabilizationMilliseconds, down.stabilizationMilliseconds);
    history.recommendations = [
      ...history.recommendations.filter(({ at }) => at > now - longest),
      { at: now, count: proposed },
    ];
    if (stabilized > proposed) {
      const message = "recent recommendations were higher than current one, applying the highest recent recommendation";
      set("AbleToScale", true, "ScaleDownStabilized", message);
    } else if (stabilized < proposed) {
      const message = "recent recommendations were lower than current one, applying the lowest recent recommendation";
      set("AbleToScale", true, "ScaleUpStabilized", message);
    } else set("AbleToScale", true, "ReadyForNewScale", "recommended size matches current size");
    const rates = behavior
      ? { up: upLimit(current, up, history, now), down: downLimit(current, down, history, now) }
      : { up: plainUpLimit(current), down: 0 };
    const limited = limit(bounds, current, stabilized, rates);
    set("ScalingLimited", limited.limited, limited.reason, limited.message);
    return limited.replicas;
  }

  #history(key: string): History {
    let history = this.#histories.get(key);
    if (!history) this.#histories.set(key, (history = { recommendations: [], scaleUps: [], scaleDowns: [] }));
    return history satisfies ScalingHistory;
  }

  #remember(key: string, before: number, after: number): void {
    const now = this.#manager.clock.now();
    const history = this.#history(key);
    const recent = ({ at }: Dated) => at > now - 3_600_000;
    if (after > before) history.scaleUps = [...history.scaleUps.filter(recent), { at: now, count: after - before }];
    else history.scaleDowns = [...history.scaleDowns.filter(recent), { at: now, count: before - after }];
  }

  async #rescale(found: HorizontalPodAutoscaler, scale: Scale, replicas: number): Promise<void> {
    try {
      const body = { ...scale, spec: { ...scale.spec, replicas } };
      await this.#manager.client.subresource(targetRef(found), "scale", "PUT", body);
    } catch (error) {
      if (!isStatusError(error, "Conflict")) {
        this.#recorder.event(found, "Warning", "FailedRescale", `New size: ${replicas}; error: ${messageOf(error)}`);
      }
      throw error;
    }
  }

  async #write(
    found: HorizontalPodAutoscaler,
    change: Partial<NonNullable<HorizontalPodAutoscaler["status"]>>,
  ): Promise<void> {
    const status = { currentReplicas: 0, desiredReplicas: 0, ...found.status, ...change };
    if (status.lastScaleTime === undefined) delete status.lastScaleTime;
    if (deepEqual(found.status, status)) return;
    await this.#manager.client.updateStatus<HorizontalPodAutoscaler>({ ...found, status });
  }
}

function toleranceOf(quantity: string | undefined): number {
  return quantity === undefined ? defaultTolerance : milliValue(quantity) / 1000 || quantityValue(quantity);
}

function targetRef(found: HorizontalPodAutoscaler) {
  const target = found.spec?.scaleTargetRef;
  const { apiVersion = "apps/v1" } = target ?? {};
  return { apiVersion, kind: target?.kind ?? "", name: target?.name ?? "", namespace: namespaceOf(found) };
}
