import { isIP } from "node:net";
import { deepEqual, type FieldFault, fieldFault, type Lease, type Node } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { checkLabelValue, checkQualifiedName } from "../validation/names.ts";
import { isNetwork, networkMessage } from "../validation/networks.ts";
import { taintEffectFaults } from "./pod/scheduling.ts";

// ValidateNode in pkg/apis/core/validation/validation.go, pkg/apis/coordination/validation/validation.go

const { duplicate, forbidden, invalid } = fieldFault;

export const nodes: Strategy = {
  applyDefaults(object) {
    const { spec, status } = object as Node;
    if (spec) applyRanges(spec);
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
  },
  validate: (object) => [...nodeFaults(object as Node)],
  validateUpdate: (object, old) => [...updateFaults(object as Node, old as Node)],
};

/** Two fields say one thing; where they differ the older one counts (pkg/apis/core/v1/conversion.go, NodeSpec). */
function applyRanges(spec: NonNullable<Node["spec"]>): void {
  const { podCIDR, podCIDRs = [] } = spec;
  if (podCIDR && podCIDR !== podCIDRs[0]) spec.podCIDRs = [podCIDR];
  else if (podCIDRs[0]) spec.podCIDR = podCIDRs[0];
}

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
  yield* rangeFaults(spec?.podCIDRs ?? []);
}

function* rangeFaults(ranges: readonly string[]): Generator<FieldFault> {
  for (const [index, range] of ranges.entries()) {
    if (!isNetwork(range)) yield invalid(`spec.podCIDRs[${index}]`, range, networkMessage);
  }
  const families = ranges.map((range) => isIP(range.split("/")[0] ?? ""));
  if (ranges.length > 2 || (ranges.length === 2 && families[0] === families[1]))
    yield invalid("spec.podCIDRs", ranges, "may specify no more than one CIDR for each IP family");
}

function* updateFaults({ spec }: Node, { spec: old }: Node): Generator<FieldFault> {
  const ranges = old?.podCIDRs ?? [];
  if (ranges.length > 0 && !deepEqual(spec?.podCIDRs ?? [], ranges)) {
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
