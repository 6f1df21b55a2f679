import {
  type FieldFault,
  fieldFault,
  type IntOrString,
  type LabelSelector,
  matchesLabels,
  type PodTemplateSpec,
} from "@dhow/kube";
import { nonNegative, selectorFaults, selectsNothingInParticular, sorted } from "../validation/metadata.ts";
import { checkPercent } from "../validation/names.ts";

import { podTemplateFaults } from "./pod/spec.ts";

const { forbidden, invalid, notSupported, required } = fieldFault;

export interface TemplateRules {
  /** `deployment`, for messages. */
  readonly kind: string;
  readonly selector: LabelSelector | undefined;
  readonly template: PodTemplateSpec | undefined;
}

/** A selector that says something and a template that it selects (pkg/apis/apps/validation/validation.go). */
export function* selectorAndTemplateFaults({ kind, selector, template }: TemplateRules): Generator<FieldFault> {
  const faults = [...selectorFaults(selector, "spec.selector")];
  yield* faults;
  if (!selector) {
    if (kind !== "daemonset") yield required("spec.selector");
  } else if (selectsNothingInParticular(selector)) {
    yield invalid("spec.selector", selector, `empty selector is invalid for ${kind}`);
  }
  const labels = Object.fromEntries(sorted(template?.metadata?.labels ?? {}));
  if (faults.length > 0) {
    if (kind === "deployment") yield invalid("spec.selector", selector, "invalid label selector");
    if (kind === "statefulset") yield invalid("spec.selector", selector, "");
    // Of a deployment or a stateful set the template is not looked at then.
    if (kind !== "daemonset") return;
  } else if (!selector || (!selectsNothingInParticular(selector) && !matchesLabels(selector, labels))) {
    yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
  }
  yield* podTemplateFaults(template ?? {}, "spec.template");
}

/** What a workload whose pods live for ever demands of its template. */
export function* everlastingFaults(template: PodTemplateSpec | undefined, kind: string): Generator<FieldFault> {
  const policy = template?.spec?.restartPolicy;
  if (policy !== "Always") yield notSupported("spec.template.spec.restartPolicy", policy, ["Always"]);
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    yield forbidden("spec.template.spec.activeDeadlineSeconds", `activeDeadlineSeconds in ${kind} is not Supported`);
  }
}

export function* countOrPercentFaults(value: IntOrString | undefined, at: string): Generator<FieldFault> {
  if (typeof value === "string") {
    for (const message of checkPercent(value)) yield invalid(at, value, message);
  } else yield* nonNegative(value, at);
}

export function* atMostAllFaults(value: IntOrString | undefined, at: string): Generator<FieldFault> {
  if (percentOf(value) > 100) yield invalid(at, value, "must not be greater than 100%");
}

function percentOf(value: IntOrString | undefined): number {
  return typeof value === "string" && checkPercent(value).length === 0 ? Number(value.slice(0, -1)) : 0;
}

/** The number in `3` or `30%`; 0 where there is none. */
export function numberIn(value: IntOrString | undefined): number {
  return typeof value === "number" ? value : percentOf(value);
}
