import {
  type Affinity,
  type FieldFault,
  fieldFault,
  type NodeSelectorTerm,
  type PodAffinityTerm,
  type Toleration,
  type TopologySpreadConstraint,
} from "@dhow/kube";
import { selectorFaults } from "../../validation/metadata.ts";
import { checkLabel1123, checkLabelValue, checkQualifiedName, subdomainName } from "../../validation/names.ts";

// validateAffinity, ValidateTolerations and validateTopologySpreadConstraints in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, notSupported, required } = fieldFault;

const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function* affinityFaults(affinity: Affinity | undefined, at: string): Generator<FieldFault> {
  const nodes = affinity?.nodeAffinity;
  const requiredTerms = nodes?.requiredDuringSchedulingIgnoredDuringExecution;
  const requiredField = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferredField = "preferredDuringSchedulingIgnoredDuringExecution";
  if (requiredTerms) yield* nodeSelectorFaults(requiredTerms.nodeSelectorTerms, `${at}.nodeAffinity.${requiredField}`);
  for (const [index, term] of (nodes?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const place = `${at}.nodeAffinity.${preferredField}[${index}]`;
    yield* weightFaults(term.weight, place);
    yield* nodeTermFaults(term.preference, `${place}.preference`, false);
  }
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const pods = affinity?.[kind];
    for (const [index, term] of (pods?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      yield* podTermFaults(term, `${at}.${kind}.${requiredField}[${index}]`);
    }
    for (const [index, term] of (pods?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const place = `${at}.${kind}.${preferredField}[${index}]`;
      yield* weightFaults(term.weight, place);
      yield* podTermFaults(term.podAffinityTerm, `${place}.podAffinityTerm`);
    }
  }
}

function* weightFaults(weight: number, at: string): Generator<FieldFault> {
  if (!(weight > 0 && weight <= 100)) yield invalid(`${at}.weight`, weight ?? 0, "must be in the range 1-100");
}

export function* nodeSelectorFaults(terms: readonly NodeSelectorTerm[] | undefined, at: string): Generator<FieldFault> {
  const place = `${at}.nodeSelectorTerms`;
  if (!terms?.length) yield required(place, "must have at least one node selector term");
  for (const [index, term] of (terms ?? []).entries()) yield* nodeTermFaults(term, `${place}[${index}]`, true);
}

type Requirement = NonNullable<NodeSelectorTerm["matchExpressions"]>[number];

function* nodeTermFaults(term: NodeSelectorTerm | undefined, at: string, checkValues: boolean): Generator<FieldFault> {
  for (const [index, requirement] of (term?.matchExpressions ?? []).entries()) {
    yield* nodeRequirementFaults(requirement, `${at}.matchExpressions[${index}]`, checkValues);
  }
  for (const [index, requirement] of (term?.matchFields ?? []).entries()) {
    const place = `${at}.matchFields[${index}]`;
    const values = requirement.values ?? [];
    if (requirement.operator !== "In" && requirement.operator !== "NotIn") {
      yield invalid(`${place}.operator`, requirement.operator, "not a valid selector operator");
    } else if (values.length !== 1) {
      const message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      yield required(`${place}.values`, message);
    }
    if (requirement.key !== "metadata.name")
      yield invalid(`${place}.key`, requirement.key, "not a valid field selector key");
    else {
      for (const [at, value] of values.entries()) {
        for (const message of subdomainName(value, false)) yield invalid(`${place}.values[${at}]`, value, message);
      }
    }
  }
}

function* nodeRequirementFaults(requirement: Requirement, at: string, checkValues: boolean): Generator<FieldFault> {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) yield required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        yield forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
      break;
    case "Gt":
    case "Lt":
      if (values.length !== 1) {
        yield required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
      }
      break;
    default:
      yield invalid(`${at}.operator`, requirement.operator, "not a valid selector operator");
  }
  for (const message of checkQualifiedName(requirement.key ?? "")) yield invalid(`${at}.key`, requirement.key, message);
  if (!checkValues) return;
  for (const [index, value] of values.entries()) {
    for (const message of checkLabelValue(value)) yield invalid(`${at}.values[${index}]`, value, message);
  }
}

function* podTermFaults(term: PodAffinityTerm | undefined, at: string): Generator<FieldFault> {
  if (!term) return;
  yield* selectorFaults(term.labelSelector, `${at}.labelSelector`);
  yield* selectorFaults(term.namespaceSelector, `${at}.namespaceSelector`);
  for (const name of term.namespaces ?? []) {
    for (const message of checkLabel1123(name)) yield invalid(`${at}.namespace`, name, message);
  }
  if (!term.topologyKey) yield required(`${at}.topologyKey`, "can not be empty");
  for (const message of checkQualifiedName(term.topologyKey ?? "")) {
    yield invalid(`${at}.topologyKey`, term.topologyKey, message);
  }
}

export function* tolerationFaults(tolerations: readonly Toleration[], at: string): Generator<FieldFault> {
  for (const [index, toleration] of tolerations.entries()) {
    const place = `${at}[${index}]`;
    const { effect, key, operator = "", tolerationSeconds, value = "" } = toleration;
    if (key) for (const message of checkQualifiedName(key)) yield invalid(`${place}.key`, key, message);
    else if (operator !== "Exists") {
      const message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      yield invalid(`${place}.operator`, operator, message);
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      yield invalid(`${place}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (operator === "" || operator === "Equal") {
      const messages = checkLabelValue(value);
      if (messages.length > 0) yield invalid(`${place}.operator`, value, messages.join(";"));
    } else if (operator === "Exists") {
      if (value) yield invalid(`${place}.operator`, value, "value must be empty when `operator` is 'Exists'");
    } else {
      const known = ["Lt", "Gt"].includes(operator) ? ["Equal", "Exists", "Lt", "Gt"] : ["Equal", "Exists"];
      yield notSupported(`${place}.operator`, operator, known);
    }
    if (effect && !taintEffects.includes(effect)) yield notSupported(`${place}.effect`, effect, taintEffects);
  }
}

export function* taintEffectFaults(effect: string | undefined, at: string): Generator<FieldFault> {
  if (!effect) yield required(at);
  else if (!taintEffects.includes(effect)) yield notSupported(at, effect, taintEffects);
}

export function* spreadFaults(constraints: readonly TopologySpreadConstraint[], at: string): Generator<FieldFault> {
  for (const [index, constraint] of constraints.entries()) {
    const place = `${at}[${index}]`;
    const { minDomains, topologyKey, whenUnsatisfiable } = constraint;
    if (!(constraint.maxSkew > 0))
      yield invalid(`${place}.maxSkew`, constraint.maxSkew ?? 0, "must be greater than zero");
    if (!topologyKey) yield required(`${place}.topologyKey`, "can not be empty");
    if (!["DoNotSchedule", "ScheduleAnyway"].includes(whenUnsatisfiable)) {
      yield notSupported(`${place}.whenUnsatisfiable`, whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]);
    }
    const repeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (repeated) {
      yield duplicate(`${place}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`);
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) yield invalid(`${place}.minDomains`, minDomains, "must be greater than zero");
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const message = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        yield invalid(`${place}.minDomains`, minDomains, message);
      }
    }
    for (const policy of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const value = constraint[policy];
      if (value && !["Honor", "Ignore"].includes(value))
        yield notSupported(`${place}.${policy}`, value, ["Honor", "Ignore"]);
    }
    yield* selectorFaults(constraint.labelSelector, `${place}.labelSelector`);
  }
}
