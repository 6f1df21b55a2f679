import { deepEqual, type FieldFault, fieldFault, type ResourceQuota } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { sorted } from "../validation/metadata.ts";
import { checkQualifiedName } from "../validation/names.ts";
import { quantityFaults } from "./pod/resources.ts";

// ValidateResourceQuota in pkg/apis/core/validation/validation.go, scopes in pkg/apis/core/helper/helpers.go

const { invalid, required } = fieldFault;

const compute = ["cpu", "memory", "ephemeral-storage"];
const counted =
  "resourcequotas services services.nodeports services.loadbalancers replicationcontrollers secrets configmaps persistentvolumeclaims pods".split(
    " ",
  );
const standard = new Set([
  ...compute,
  ...counted,
  ...[...compute, "storage"].map((name) => `requests.${name}`),
  ...compute.map((name) => `limits.${name}`),
]);
const scopes = [
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "VolumeAttributesClass",
  "CrossNamespacePodAffinity",
];
const pairs = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

export const resourceQuotas: Strategy = {
  validate: (object) => [...quotaFaults(object as ResourceQuota)],
  validateUpdate(object, old) {
    const set = (quota: ResourceQuota) => (quota.spec?.scopes ?? []).toSorted();
    const [now, before] = [set(object as ResourceQuota), set(old as ResourceQuota)];
    return deepEqual(now, before)
      ? []
      : [invalid("spec.scopes", (object as ResourceQuota).spec?.scopes, "field is immutable")];
  },
};

function* quotaFaults({ spec }: ResourceQuota): Generator<FieldFault> {
  const hard = spec?.hard ?? {};
  for (const [name, amount] of sorted(hard)) {
    const at = `spec.hard[${name}]`;
    yield* nameFaults(name, at);
    yield* quantityFaults(name, amount, at);
  }
  const given = spec?.scopes ?? [];
  for (const scope of given) {
    if (!scopes.includes(scope)) yield invalid("spec.scopes", given, "unsupported scope");
    else {
      for (const name of Object.keys(hard).sort()) {
        if (standard.has(name) && !scopeFits(scope, name)) {
          yield invalid("spec.scopes", given, "unsupported scope applied to resource");
        }
      }
    }
  }
  for (const pair of pairs) {
    if (pair.every((scope) => given.includes(scope))) yield invalid("spec.scopes", given, "conflicting scopes");
  }
  yield* selectorFaults(spec?.scopeSelector?.matchExpressions ?? [], hard);
}

function* nameFaults(name: string, at: string): Generator<FieldFault> {
  const messages = checkQualifiedName(name);
  for (const message of messages) yield invalid(at, name, message);
  if (messages.length > 0 || name.includes("/")) return;
  if (!standard.has(name) && !/^(requests\.)?hugepages-/.test(name)) {
    yield invalid(at, name, "must be a standard resource type or fully qualified");
    yield invalid(at, name, "must be a standard resource for quota");
  }
}

/** Best-effort pods can only be counted; the others also by what they ask for. */
function scopeFits(scope: string, name: string): boolean {
  const forPods = name === "pods" || compute.some((part) => name.endsWith(part));
  return scope === "BestEffort" ? name === "pods" : forPods;
}

interface Requirement {
  readonly operator?: string;
  readonly scopeName?: string;
  readonly values?: readonly string[];
}

function* selectorFaults(
  requirements: readonly Requirement[],
  hard: Readonly<Record<string, string>>,
): Generator<FieldFault> {
  const at = "spec.scopeSelector.matchExpressions";
  for (const requirement of requirements) {
    const { operator = "", scopeName = "", values = [] } = requirement;
    if (!scopes.includes(scopeName)) yield invalid(`${at}.scopeName`, scopeName, "unsupported scope");
    for (const name of Object.keys(hard).sort()) {
      if (standard.has(name) && scopes.includes(scopeName) && !scopeFits(scopeName, name)) {
        yield invalid(at, requirements, "unsupported scope applied to resource");
      }
    }
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0)
        yield required(
          `${at}.values`,
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        );
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        yield invalid(
          `${at}.values`,
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        );
      }
    } else yield invalid(`${at}.operator`, operator, "not a valid selector operator");
  }
}
