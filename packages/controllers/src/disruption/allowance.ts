import { type PodDisruptionBudgetSpec, scaledValue } from "@dhow/kube";

export interface Allowance {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
  readonly disruptionsAllowed: number;
}

/**
 * How many of the budget's pods may go now (pkg/controller/disruption/disruption.go, getExpectedPodCount and updatePdbStatus).
 * `scale` is what the pods' controllers want together; a plain count of `minAvailable` does without it.
 */
export function allowance(
  spec: PodDisruptionBudgetSpec,
  pods: number,
  scale: number | undefined,
  healthy: number,
): Allowance | undefined {
  let expectedPods = pods;
  let desiredHealthy = 0;
  if (spec.maxUnavailable !== undefined) {
    if (scale === undefined) return undefined;
    expectedPods = scale;
    desiredHealthy = Math.max(expectedPods - scaledValue(spec.maxUnavailable, expectedPods, "up"), 0);
  } else if (typeof spec.minAvailable === "number") desiredHealthy = spec.minAvailable;
  else if (spec.minAvailable !== undefined) {
    if (scale === undefined) return undefined;
    expectedPods = scale;
    desiredHealthy = scaledValue(spec.minAvailable, expectedPods, "up");
  }
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(healthy - desiredHealthy, 0);
  return { expectedPods, desiredHealthy, disruptionsAllowed };
}
