import { type FieldFault, fieldFault, type JobSpec } from "@dhow/kube";
import { nonNegative } from "../validation/metadata.ts";

// pkg/apis/batch/validation/validation.go: validatePodFailurePolicy, validateSuccessPolicy

const { duplicate, invalid, notSupported, required } = fieldFault;

type FailureRule = NonNullable<JobSpec["podFailurePolicy"]>["rules"][number];
type SuccessRule = NonNullable<JobSpec["successPolicy"]>["rules"][number];

const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];

const valid = (values: readonly string[]) => `valid values: [${values.map((value) => `"${value}"`).join(" ")}]`;

export function* podFailurePolicyFaults(spec: JobSpec, at: string): Generator<FieldFault> {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    yield* failureRuleFaults(spec, rule, `${at}.podFailurePolicy.rules[${index}]`);
  }
}

function* failureRuleFaults(spec: JobSpec, rule: FailureRule, at: string): Generator<FieldFault> {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  if (!action) yield required(`${at}.action`, valid(actions));
  else if (!actions.includes(action)) yield notSupported(`${at}.action`, action, actions);
  else if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
    yield invalid(`${at}.action`, action, "requires the backoffLimitPerIndex to be set");
  }
  if (onExitCodes) yield* exitCodeFaults(spec, onExitCodes, `${at}.onExitCodes`);
  for (const [index, { type, status }] of onPodConditions.entries()) {
    const place = `${at}.onPodConditions[${index}]`;
    if (!type) yield required(`${place}.type`);
    if (!status) yield required(`${place}.status`, valid(statuses));
    else if (!statuses.includes(status)) yield notSupported(`${place}.status`, status, statuses);
  }
  if (onExitCodes && onPodConditions.length > 0) {
    yield invalid(at, rule, "specifying both OnExitCodes and OnPodConditions is not supported");
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    yield invalid(at, rule, "specifying one of OnExitCodes and OnPodConditions is required");
  }
}

function* exitCodeFaults(
  spec: JobSpec,
  { containerName, operator, values }: NonNullable<FailureRule["onExitCodes"]>,
  at: string,
): Generator<FieldFault> {
  if (!operator) yield required(`${at}.operator`, valid(operators));
  else if (!operators.includes(operator)) yield notSupported(`${at}.operator`, operator, operators);
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  if (containerName && ![...containers, ...initContainers].some(({ name }) => name === containerName)) {
    const message = "must be one of the container or initContainer names in the pod template";
    yield invalid(`${at}.containerName`, containerName, message);
  }
  if (values.length === 0) yield invalid(`${at}.values`, values, "at least one value is required");
  for (const [index, value] of values.entries()) {
    const place = `${at}.values[${index}]`;
    if (values.indexOf(value) < index) yield duplicate(place, value);
    else if (operator === "In" && value === 0) yield invalid(place, value, "must not be 0 for the In operator");
  }
  if (values.some((value, index) => index > 0 && value < (values[index - 1] ?? value))) {
    yield invalid(`${at}.values`, values, "must be ordered");
  }
}

export function* successPolicyFaults(spec: JobSpec, at: string): Generator<FieldFault> {
  if (!spec.successPolicy) return;
  const rules = spec.successPolicy.rules ?? [];
  const place = `${at}.successPolicy.rules`;
  if (rules.length === 0)
    yield required(place, "at least one rules must be specified when the successPolicy is specified");
  for (const [index, rule] of rules.entries()) yield* successRuleFaults(spec, rule, `${place}[${index}]`);
}

function* successRuleFaults(spec: JobSpec, rule: SuccessRule, at: string): Generator<FieldFault> {
  const { succeededCount, succeededIndexes } = rule;
  if (succeededCount === undefined && succeededIndexes === undefined) {
    yield required(at, "at least one of succeededCount or succeededIndexes must be specified");
  }
  const named = succeededIndexes === undefined ? undefined : countIndexes(succeededIndexes, spec.completions ?? 0);
  if (typeof named === "string") {
    yield invalid(`${at}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${named}`);
  }
  if (succeededCount === undefined) return;
  const place = `${at}.succeededCount`;
  yield* nonNegative(succeededCount, place);
  if (spec.completions !== undefined && succeededCount > spec.completions) {
    const message = `must be less than or equal to ${spec.completions} (the number of specified completions)`;
    yield invalid(place, succeededCount, message);
  }
  if (typeof named === "number" && succeededCount > named) {
    const message = `must be less than or equal to ${named} (the number of indexes in the specified succeededIndexes field)`;
    yield invalid(place, succeededCount, message);
  }
}

/** How many indexes a text such as `1,3-5` names, or what is wrong with it (validateIndexesFormat). */
function countIndexes(text: string, completions: number): number | string {
  let total = 0;
  let last = -1;
  for (const part of text === "" ? [] : text.split(",")) {
    const ends = part.split("-");
    if (ends.length > 2)
      return `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`;
    for (const end of ends) {
      if (!/^\d+$/.test(end)) return `cannot convert string to integer for index: "${end}"`;
      if (Number(end) >= completions) return `too large index: "${end}"`;
      if (Number(end) <= last) return `non-increasing order, previous: ${last}, current: ${Number(end)}`;
      last = Number(end);
    }
    total += ends.length === 2 ? last - Number(ends[0]) + 1 : 1;
  }
  return total;
}
