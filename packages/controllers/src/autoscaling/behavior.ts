import type { HPAScalingRules } from "@dhow/kube";

/**
 * How fast a recommendation may be followed (pkg/controller/podautoscaler/horizontal.go, convertDesiredReplicasWithBehaviorRate and
 * stabilizeRecommendationWithBehaviors; defaults in pkg/apis/autoscaling/v2/defaults.go).
 */

/** Something that was recommended or done, at a time in milliseconds. */
export interface Dated {
  readonly at: number;
  readonly count: number;
}

export interface ScalingHistory {
  readonly recommendations: readonly Dated[];
  readonly scaleUps: readonly Dated[];
  readonly scaleDowns: readonly Dated[];
}

interface Rules {
  readonly stabilizationMilliseconds: number;
  readonly select: "Max" | "Min" | "Disabled";
  readonly policies: readonly { readonly type: string; readonly value: number; readonly periodSeconds: number }[];
}

export function upRules(rules: HPAScalingRules | undefined): Rules {
  return {
    stabilizationMilliseconds: (rules?.stabilizationWindowSeconds ?? 0) * 1000,
    select: (rules?.selectPolicy ?? "Max") as Rules["select"],
    policies: rules?.policies ?? [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  };
}

export function downRules(rules: HPAScalingRules | undefined, stabilizationMilliseconds: number): Rules {
  const own = rules?.stabilizationWindowSeconds;
  return {
    stabilizationMilliseconds: own === undefined ? stabilizationMilliseconds : own * 1000,
    select: (rules?.selectPolicy ?? "Max") as Rules["select"],
    policies: rules?.policies ?? [{ type: "Percent", value: 100, periodSeconds: 15 }],
  };
}

function changed(history: readonly Dated[], periodSeconds: number, now: number): number {
  const after = now - periodSeconds * 1000;
  return history.reduce((sum, { at, count }) => (at > after ? sum + count : sum), 0);
}

function choose(
  select: Rules["select"],
  limits: readonly number[],
  largestChange: (limits: readonly number[]) => number,
  smallest: (limits: readonly number[]) => number,
): number {
  return select === "Min" ? smallest(limits) : largestChange(limits);
}

/** The most replicas that scale-up rules allow now. */
export function upLimit(current: number, rules: Rules, history: ScalingHistory, now: number): number {
  if (rules.select === "Disabled") return current;
  const limits = rules.policies.map(({ type, value, periodSeconds }) => {
    const added = changed(history.scaleUps, periodSeconds, now);
    const removed = changed(history.scaleDowns, periodSeconds, now);
    const before = current - added + removed;
    return type === "Pods" ? before + value : Math.ceil(before * (1 + value / 100));
  });
  return choose(
    rules.select,
    limits,
    (all) => Math.max(...all),
    (all) => Math.min(...all),
  );
}

/** The fewest replicas that scale-down rules allow now. */
export function downLimit(current: number, rules: Rules, history: ScalingHistory, now: number): number {
  if (rules.select === "Disabled") return current;
  const limits = rules.policies.map(({ type, value, periodSeconds }) => {
    const added = changed(history.scaleUps, periodSeconds, now);
    const removed = changed(history.scaleDowns, periodSeconds, now);
    const before = current - added + removed;
    return type === "Pods" ? before - value : Math.trunc(before * (1 - value / 100));
  });
  return choose(
    rules.select,
    limits,
    (all) => Math.min(...all),
    (all) => Math.max(...all),
  );
}

/** Follows the least change that was recommended within the windows. */
export function stabilize(
  current: number,
  desired: number,
  up: Rules,
  down: Rules,
  history: ScalingHistory,
  now: number,
): number {
  let lowest = desired;
  let highest = desired;
  for (const { at, count } of history.recommendations) {
    if (at > now - up.stabilizationMilliseconds) lowest = Math.min(lowest, count);
    if (at > now - down.stabilizationMilliseconds) highest = Math.max(highest, count);
  }
  let result = current;
  if (result < lowest) result = lowest;
  if (result > highest) result = highest;
  return result;
}

export interface Limited {
  readonly replicas: number;
  readonly limited: boolean;
  readonly reason: string;
  readonly message: string;
}

const within = {
  limited: false,
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};
const tooMany = {
  limited: true,
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const tooFew = {
  limited: true,
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};
const tooFastUp = {
  limited: true,
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const tooFastDown = {
  limited: true,
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};

/** Brings a desired count within the bounds and rates. */
export function limit(
  bounds: { readonly min: number; readonly max: number },
  current: number,
  desired: number,
  rates: { readonly up: number; readonly down: number },
): Limited {
  if (desired > current) {
    const rate = Math.max(rates.up, current);
    const most = Math.min(rate, bounds.max);
    if (desired > most) return { replicas: most, ...(rate < bounds.max ? tooFastUp : tooMany) };
  } else if (desired < current) {
    const rate = Math.min(rates.down, current);
    const least = Math.max(rate, bounds.min);
    if (desired < least) return { replicas: least, ...(rate > bounds.min ? tooFastDown : tooFew) };
  }
  if (desired > bounds.max) return { replicas: bounds.max, ...tooMany };
  if (desired < bounds.min) return { replicas: bounds.min, ...tooFew };
  return { replicas: desired, ...within };
}

/** Without behavior rules: at most twice as many, and four are always allowed (calculateScaleUpLimit). */
export function plainUpLimit(current: number): number {
  return Math.max(2 * current, 4);
}
