import type { FieldFault, ReplicaSet } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, nonNegative } from "../validation/metadata.ts";
import { statusFaults } from "./deployments.ts";
import { defaultPodSpec } from "./pod/defaults.ts";
import { everlastingFaults, selectorAndTemplateFaults } from "./pod-templates.ts";

// ValidateReplicaSetSpec in pkg/apis/apps/validation/validation.go

export const replicaSets: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const { spec } = object as ReplicaSet;
    if (!spec) return;
    spec.replicas ??= 1;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  prepareForCreate(object) {
    // Not written as `status: {}`: the count is on the wire always.
    (object as ReplicaSet).status = { replicas: 0 };
  },
  validate: (object) => [...replicaSetFaults(object as ReplicaSet)],
  validateUpdate: (object, old) => [
    ...immutable((object as ReplicaSet).spec.selector, (old as ReplicaSet).spec.selector, "spec.selector"),
  ],
  validateStatusUpdate: (object) => [...statusFaults((object as ReplicaSet).status)],
};

function* replicaSetFaults({ spec }: ReplicaSet): Generator<FieldFault> {
  yield* nonNegative(spec?.replicas, "spec.replicas");
  yield* nonNegative(spec?.minReadySeconds, "spec.minReadySeconds");
  yield* selectorAndTemplateFaults({ kind: "deployment", selector: spec?.selector, template: spec?.template });
  yield* everlastingFaults(spec?.template, "ReplicaSet");
}
