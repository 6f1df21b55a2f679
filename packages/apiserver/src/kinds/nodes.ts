import { type FieldFault, fieldFault, type Lease, type Node } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { checkLabelValue, checkQualifiedName } from "../validation/names.ts";
import { taintEffectFaults } from "./pod/scheduling.ts";

// ValidateNode in pkg/apis/core/validation/validation.go, pkg/apis/coordination/validation/validation.go

const { duplicate, forbidden, invalid } = fieldFault;

export const nodes: Strategy = {
  applyDefaults(object) {
    const { status } = object as Node;
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
  },
  validate: (object) => [...nodeFaults(object as Node)],
  validateUpdate: (object, old) => [...updateFaults(object as Node, old as Node)],
};

function* nodeFaults({ spec }: Node): Generator<FieldFault> {
  const seen = new Set<string>();
  for (const [index, taint] of (spec?.taints ?? []).entries()) {
    const at = `metadata.taints[${index}]`;
    for (const message of checkQualifiedName(taint.key ?? "")) yield invalid(`${at}.key`, taint.key, message);
    const faults = checkLabelValue(taint.value ?? "");
    if (faults.length > 0) yield invalid(`${at}.value`, taint.value, faults.join(";"));
    yield* taintEffectFaults(taint.effect, `${at}.effect`);
    const key = `${taint.key}:${taint.effect}`;
    if (seen.has(key)) {
      const value = {
        Key: taint.key,
        Value: taint.value ?? "",
        Effect: taint.effect,
        TimeAdded: taint.timeAdded ?? null,
      };
      yield { ...duplicate(at, value), detail: "taints must be unique by key and effect pair" };
    }
    seen.add(key);
  }
}

function* updateFaults({ spec }: Node, { spec: old }: Node): Generator<FieldFault> {
  if (old?.podCIDR && spec?.podCIDR !== old.podCIDR) {
    yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
  }
  if (old?.providerID && spec?.providerID !== old.providerID) {
    yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid');
  }
}

export const leases: Strategy = {
  createOnUpdate: true,
  validate: (object) => [...leaseFaults(object as Lease)],
};

function* leaseFaults({ spec }: Lease): Generator<FieldFault> {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec ?? {};
  if (duration !== undefined && duration <= 0) {
    yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0");
  }
  if (transitions !== undefined && transitions < 0) {
    yield invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0");
  }
}
