import {
  type ControllerRevision,
  type FieldFault,
  fieldFault,
  type PodTemplate,
  type ReplicationController,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, labelFaults, nonNegative } from "../validation/metadata.ts";
import { defaultPodSpec } from "./pod/defaults.ts";
import { podTemplateFaults } from "./pod/spec.ts";
import { everlastingFaults } from "./pod-templates.ts";

// pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go, pkg/apis/apps/validation/validation.go

const { invalid, required } = fieldFault;

export const replicationControllers: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const controller = object as ReplicationController;
    const { spec } = controller;
    if (!spec) return;
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  prepareForCreate(object) {
    (object as ReplicationController).status = { replicas: 0 };
  },
  validate: (object) => [...controllerFaults(object as ReplicationController)],
};

function* controllerFaults({ spec }: ReplicationController): Generator<FieldFault> {
  yield* nonNegative(spec?.minReadySeconds, "spec.minReadySeconds");
  const selector = spec?.selector ?? {};
  if (Object.keys(selector).length === 0) yield required("spec.selector");
  yield* labelFaults(selector, "spec.selector");
  yield* nonNegative(spec?.replicas, "spec.replicas");
  if (!spec?.template) {
    yield required("spec.template");
    return;
  }
  const labels = spec.template.metadata?.labels ?? {};
  if (!Object.entries(selector).every(([key, value]) => labels[key] === value)) {
    yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
  }
  yield* podTemplateFaults(spec.template, "spec.template");
  yield* everlastingFaults(spec.template, "ReplicationController");
}

export const podTemplates: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const { template } = object as PodTemplate;
    if (template?.spec) defaultPodSpec(template.spec);
  },
  validate: (object) => [...podTemplateFaults((object as PodTemplate).template ?? {}, "template")],
};

export const controllerRevisions: Strategy = {
  validate(object) {
    const { data, revision } = object as ControllerRevision;
    return [
      ...(data === undefined ? [required("data", "data is mandatory")] : []),
      ...nonNegative(revision, "revision"),
    ];
  },
  validateUpdate: (object, old) => [
    ...immutable((object as ControllerRevision).data, (old as ControllerRevision).data, "data"),
  ],
};
