import {
  clone,
  deepEqual,
  type FieldFault,
  fieldFault,
  type Job,
  type JobSpec,
  type LabelSelector,
  matchesLabels,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, nonNegative, selectorFaults, sorted } from "../validation/metadata.ts";
import { checkLabel1123 } from "../validation/names.ts";
import { podFailurePolicyFaults, successPolicyFaults } from "./job-policies.ts";
import { defaultPodSpec } from "./pod/defaults.ts";
import { podTemplateFaults } from "./pod/spec.ts";

// pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation/validation.go, pkg/registry/batch/job/strategy.go

const { invalid, notSupported, required } = fieldFault;

const largestInt32 = 2 ** 31 - 1;

export const jobs: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const job = object as Job;
    if (!job.spec) return;
    const labels = job.spec.template?.metadata?.labels;
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
    defaultJobSpec(job.spec);
  },
  prepareForCreate: (object) => generateSelector(object as Job),
  validate: (object) => [...jobFaults(object as Job)],
  validateUpdate: (object, old) => [...updateFaults(object as Job, old as Job)],
};

export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : largestInt32;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  spec.manualSelector ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
}

/** A job knows its pods by its own uid, unless its author brings a selector (generateSelector). */
function generateSelector({ metadata, spec }: Job): void {
  if (!spec || spec.manualSelector) return;
  const { name = "", uid = "" } = metadata;
  const labels = {
    "controller-uid": uid,
    "batch.kubernetes.io/controller-uid": uid,
    "job-name": name,
    "batch.kubernetes.io/job-name": name,
  };
  spec.template.metadata = { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...labels } };
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels, "batch.kubernetes.io/controller-uid": uid };
  // A job without labels shows those of its pods (SetDefaults_Job runs again on what is stored).
  if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...spec.template.metadata.labels };
}

function* jobFaults({ metadata, spec }: Job): Generator<FieldFault> {
  if (!spec) return;
  yield* jobSpecFaults(spec, "spec");
  if (!spec.selector) yield required("spec.selector");
  else {
    const faults = [...selectorFaults(spec.selector, "spec.selector")];
    yield* faults;
    // A selector that cannot be read selects nothing that could be compared (ValidateJob in pkg/apis/batch/validation).
    if (faults.length === 0) yield* selectedFaults(metadata, spec, spec.selector);
  }
  if (spec.completionMode !== "Indexed" || !spec.completions) return;
  const last = `${metadata.name}-${spec.completions - 1}`;
  if (checkLabel1123(last).length > 0) {
    yield invalid("metadata.name", metadata.name, `will not able to create pod with invalid DNS label: ${last}`);
  }
}

function* selectedFaults(
  { name, uid = "" }: Job["metadata"],
  spec: JobSpec,
  selector: LabelSelector,
): Generator<FieldFault> {
  const labels = Object.fromEntries(sorted(spec.template?.metadata?.labels ?? {}));
  const generated = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name ?? "",
    "controller-uid": uid,
    "job-name": name ?? "",
  };
  if (!spec.manualSelector && !matchesLabels(selector, generated)) {
    yield invalid("spec.selector", selector, "`selector` not auto-generated");
  }
  if (!matchesLabels(selector, labels)) {
    yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
  }
}

export function* jobSpecFaults(spec: JobSpec, at: string): Generator<FieldFault> {
  const counts = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
  ] as const;
  for (const field of [...counts, "backoffLimitPerIndex", "maxFailedIndexes"] as const) {
    yield* nonNegative(spec[field], `${at}.${field}`);
  }
  const mode = spec.completionMode;
  if (mode !== undefined && mode !== "NonIndexed" && mode !== "Indexed") {
    yield notSupported(`${at}.completionMode`, mode, ["NonIndexed", "Indexed"]);
  }
  if (mode === "Indexed" && spec.completions === undefined) {
    yield required(`${at}.completions`, "when completion mode is Indexed");
  }
  if (mode === "Indexed" && (spec.parallelism ?? 0) > 100_000) {
    const message = "must be less than or equal to 100000 when completion mode is Indexed";
    yield invalid(`${at}.parallelism`, spec.parallelism, message);
  }
  for (const field of ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] as const) {
    if (mode === "Indexed" || spec[field] === undefined) continue;
    yield invalid(`${at}.${field}`, spec[field], "requires indexed completion mode");
  }
  yield* podFailurePolicyFaults(spec, at);
  yield* successPolicyFaults(spec, at);
  yield* podTemplateFaults(spec.template ?? {}, `${at}.template`);
  yield* restartFaults(spec, `${at}.template.spec.restartPolicy`);
}

function* restartFaults(spec: JobSpec, at: string): Generator<FieldFault> {
  const policy = spec.template?.spec?.restartPolicy;
  if (!policy || policy === "Always") yield required(at, 'valid values: "OnFailure", "Never"');
  else if (policy !== "OnFailure" && policy !== "Never") yield notSupported(at, policy, ["OnFailure", "Never"]);
  else if (spec.podFailurePolicy && policy !== "Never") {
    yield invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified');
  }
}

function* updateFaults({ spec }: Job, { spec: old, status }: Job): Generator<FieldFault> {
  if (!spec || !old) return;
  yield* completionsFaults(spec, old);
  yield* immutable(spec.selector, old.selector, "spec.selector");
  const waits = old.suspend === true && status?.startTime === undefined;
  const [now, before] = waits ? [schedulable(spec), schedulable(old)] : [spec.template, old.template];
  if (!deepEqual(now, before)) yield invalid("spec.template", spec.template, "field is immutable");
  for (const field of [
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
  ] as const) {
    yield* immutable(spec[field], old[field], `spec.${field}`);
  }
}

/** An indexed job may grow or shrink as long as completions and parallelism stay the same (ElasticIndexedJob). */
function* completionsFaults(spec: JobSpec, old: JobSpec): Generator<FieldFault> {
  if (spec.completionMode !== "Indexed") yield* immutable(spec.completions, old.completions, "spec.completions");
  else if (spec.completions !== old.completions && spec.completions !== spec.parallelism) {
    yield invalid("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism");
  }
}

/** The template without what may still change while a job has not started: where its pods may run. */
function schedulable({ template }: JobSpec): unknown {
  const copy = clone(template);
  for (const field of ["nodeSelector", "tolerations", "affinity", "schedulingGates"] as const)
    delete copy.spec?.[field];
  if (copy.metadata) copy.metadata = {};
  return copy;
}
