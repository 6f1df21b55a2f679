import { type FieldFault, fieldFault, type PodDisruptionBudget } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { goForm } from "../validation/go-form.ts";
import { nonNegative, selectorFaults } from "../validation/metadata.ts";
import { atMostAllFaults, countOrPercentFaults } from "./pod-templates.ts";

// pkg/apis/policy/validation/validation.go

const { invalid, notSupported } = fieldFault;

const counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;

export const podDisruptionBudgets: Strategy = {
  hasGeneration: true,
  prepareForCreate(object) {
    (object as PodDisruptionBudget).status = {
      currentHealthy: 0,
      desiredHealthy: 0,
      disruptionsAllowed: 0,
      expectedPods: 0,
    };
  },
  validate: (object) => [...budgetFaults(object as PodDisruptionBudget)],
  validateStatusUpdate: (object) =>
    counts.flatMap((field) => [...nonNegative((object as PodDisruptionBudget).status?.[field], `status.${field}`)]),
};

function* budgetFaults({ spec }: PodDisruptionBudget): Generator<FieldFault> {
  if (spec?.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    yield invalid(
      "spec",
      goForm(spec, ["MinAvailable", "Selector", "MaxUnavailable", "UnhealthyPodEvictionPolicy"]),
      "minAvailable and maxUnavailable cannot be both set",
    );
  }
  for (const field of ["minAvailable", "maxUnavailable"] as const) {
    if (spec?.[field] === undefined) continue;
    yield* countOrPercentFaults(spec[field], `spec.${field}`);
    yield* atMostAllFaults(spec[field], `spec.${field}`);
  }
  yield* selectorFaults(spec?.selector, "spec.selector");
  const policy = spec?.unhealthyPodEvictionPolicy;
  const policies = ["AlwaysAllow", "IfHealthyBudget"];
  if (policy !== undefined && !policies.includes(policy))
    yield notSupported("spec.unhealthyPodEvictionPolicy", policy, policies);
}
