import { type FieldFault, fieldFault, type PriorityClass } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, oneOf } from "../validation/metadata.ts";

// pkg/apis/scheduling/v1/defaults.go, pkg/apis/scheduling/validation/validation.go

const { forbidden } = fieldFault;

const systemPrefix = "system-";
const system: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};
const highestForUsers = 1_000_000_000;

export const priorityClasses: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    (object as PriorityClass).preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate: (object) => [...classFaults(object as PriorityClass)],
  validateUpdate(object, old) {
    const [now, before] = [object as PriorityClass, old as PriorityClass];
    return [
      ...((now.value ?? 0) === (before.value ?? 0) ? [] : [forbidden("value", "may not be changed in an update.")]),
      ...immutable(now.preemptionPolicy, before.preemptionPolicy, "preemptionPolicy"),
    ];
  },
};

function* classFaults({ globalDefault, metadata, preemptionPolicy, value = 0 }: PriorityClass): Generator<FieldFault> {
  const name = metadata.name ?? "";
  if (name.startsWith(systemPrefix)) {
    const reason = systemFault(name, value, globalDefault === true);
    if (reason) {
      const start = `priority class names with '${systemPrefix}' prefix are reserved for system use only`;
      yield forbidden("metadata.name", `${start}. error: ${reason}`);
    }
  } else if (value > highestForUsers) {
    yield forbidden("value", `maximum allowed value of a user defined priority is ${highestForUsers}`);
  }
  if (preemptionPolicy !== undefined)
    yield* oneOf(preemptionPolicy, ["PreemptLowerPriority", "Never"], "preemptionPolicy");
}

function systemFault(name: string, value: number, globalDefault: boolean): string | undefined {
  const expected = system[name];
  if (expected === undefined) return `${name} is not a known system priority class`;
  if (expected !== value) return `value of ${name} PriorityClass must be ${expected}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
