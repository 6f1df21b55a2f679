import type { Deployment, FieldFault } from "@dhow/kube";
import { fieldFault } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { goForm } from "../validation/go-form.ts";
import { immutable, nonNegative } from "../validation/metadata.ts";
import { defaultPodSpec } from "./pod/defaults.ts";
import {
  atMostAllFaults,
  countOrPercentFaults,
  everlastingFaults,
  numberIn,
  selectorAndTemplateFaults,
} from "./pod-templates.ts";

// pkg/apis/apps/v1/defaults.go, ValidateDeploymentSpec in pkg/apis/apps/validation/validation.go

const { forbidden, invalid, notSupported } = fieldFault;

export const deployments: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const { spec } = object as Deployment;
    if (!spec) return;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    const strategy = (spec.strategy ??= {});
    strategy.type ||= "RollingUpdate";
    if (strategy.type === "RollingUpdate") {
      strategy.rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...strategy.rollingUpdate };
    }
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  validate: (object) => [...deploymentFaults(object as Deployment)],
  validateUpdate: (object, old) => [
    ...immutable((object as Deployment).spec.selector, (old as Deployment).spec.selector, "spec.selector"),
  ],
  validateStatusUpdate: (object) => [...statusFaults((object as Deployment).status)],
};

function* deploymentFaults({ spec }: Deployment): Generator<FieldFault> {
  yield* nonNegative(spec?.replicas, "spec.replicas");
  yield* selectorAndTemplateFaults({ kind: "deployment", selector: spec?.selector, template: spec?.template });
  yield* everlastingFaults(spec?.template, "ReplicaSet");
  yield* strategyFaults(spec?.strategy);
  yield* nonNegative(spec?.minReadySeconds, "spec.minReadySeconds");
  yield* nonNegative(spec?.revisionHistoryLimit, "spec.revisionHistoryLimit");
  const deadline = spec?.progressDeadlineSeconds;
  yield* nonNegative(deadline, "spec.progressDeadlineSeconds");
  if (deadline !== undefined && deadline <= (spec?.minReadySeconds ?? 0)) {
    yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
  }
}

function* strategyFaults(strategy: Deployment["spec"]["strategy"]): Generator<FieldFault> {
  const at = "spec.strategy";
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === "Recreate") {
    if (rolling) yield forbidden(`${at}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
  } else if (strategy?.type === "RollingUpdate") {
    yield* countOrPercentFaults(rolling?.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`);
    yield* countOrPercentFaults(rolling?.maxSurge, `${at}.rollingUpdate.maxSurge`);
    if (numberIn(rolling?.maxUnavailable) === 0 && numberIn(rolling?.maxSurge) === 0) {
      yield invalid(`${at}.rollingUpdate.maxUnavailable`, rolling?.maxUnavailable, "may not be 0 when `maxSurge` is 0");
    }
    yield* atMostAllFaults(rolling?.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`);
  } else {
    yield notSupported(at, goForm(strategy, ["Type", "RollingUpdate"]), ["Recreate", "RollingUpdate"]);
  }
}

/** Replica counts that cannot be: more of a part than there are of the whole. */
export function* statusFaults(status: Deployment["status"]): Generator<FieldFault> {
  const replicas = status?.replicas ?? 0;
  for (const field of ["updatedReplicas", "readyReplicas", "availableReplicas"] as const) {
    yield* nonNegative(status?.[field], `status.${field}`);
    if ((status?.[field] ?? 0) > replicas) {
      yield invalid(`status.${field}`, status?.[field], "cannot be greater than status.replicas");
    }
  }
  if ((status?.availableReplicas ?? 0) > (status?.readyReplicas ?? 0)) {
    yield invalid("status.availableReplicas", status?.availableReplicas, "cannot be greater than readyReplicas");
  }
}
