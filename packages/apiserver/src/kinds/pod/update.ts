import { clone, deepEqual, type FieldFault, fieldFault, type Pod, type PodSpec } from "@dhow/kube";
import { rangeMessage } from "../../validation/names.ts";

// ValidatePodUpdate in pkg/apis/core/validation/validation.go

const { forbidden, invalid, required } = fieldFault;

const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

const largestInt32 = 2 ** 31 - 1;

export function* podUpdateFaults(pod: Pod, old: Pod): Generator<FieldFault> {
  const { spec } = pod;
  for (const kind of ["containers", "initContainers"] as const) {
    const containers = spec[kind] ?? [];
    const place = `spec.${kind}`;
    if (containers.length !== (old.spec[kind] ?? []).length) {
      const message = "pod updates may not add or remove containers";
      yield forbidden(place, message);
      return;
    }
    for (const [index, container] of containers.entries()) {
      if (!container.image?.trim()) yield required(`${place}[${index}].image`);
    }
  }
  yield* deadlineFaults(spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  yield* removedTolerationFaults(spec, old.spec);
  yield* addedGateFaults(spec, old.spec);
  const wish = withWhatMayChange(spec, old.spec);
  if (deepEqual(wish, old.spec)) return;
  yield forbidden("spec", `pod updates may not change fields other than ${changeable}\n${difference(old.spec, wish)}`);
}

function* deadlineFaults(deadline: number | undefined, old: number | undefined): Generator<FieldFault> {
  const at = "spec.activeDeadlineSeconds";
  if (deadline === undefined) {
    if (old !== undefined) yield invalid(at, null, "must not update from a positive integer to nil value");
  } else if (deadline < 0 || deadline > largestInt32) {
    yield invalid(at, deadline, rangeMessage(0, largestInt32));
  } else if (old !== undefined && old < deadline) {
    yield invalid(at, deadline, "must be less than or equal to previous value");
  }
}

function* removedTolerationFaults(spec: PodSpec, old: PodSpec): Generator<FieldFault> {
  const kept = (old.tolerations ?? []).every((toleration) =>
    (spec.tolerations ?? []).some((other) =>
      deepEqual({ ...other, tolerationSeconds: 0 }, { ...toleration, tolerationSeconds: 0 }),
    ),
  );
  if (!kept)
    yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
}

function* addedGateFaults(spec: PodSpec, old: PodSpec): Generator<FieldFault> {
  const known = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (known.has(name)) continue;
    const message = `only deletion is allowed, but found new scheduling gate '${name}'`;
    yield forbidden(`spec.schedulingGates[${index}].name`, message);
  }
}

/** The new spec with everything that may change set back to what it was. */
function withWhatMayChange(spec: PodSpec, old: PodSpec): PodSpec {
  const wish = clone(spec);
  for (const kind of ["containers", "initContainers"] as const) {
    for (const [index, container] of (wish[kind] ?? []).entries()) {
      const image = old[kind]?.[index]?.image;
      if (image !== undefined) container.image = image;
    }
  }
  const fields = ["activeDeadlineSeconds", "schedulingGates", "tolerations"] as const;
  for (const field of fields) setBack(wish, old, field);
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && wish.terminationGracePeriodSeconds === 1) {
    setBack(wish, old, "terminationGracePeriodSeconds");
  }
  // A pod that waits at a gate may still be told where it may run.
  if ((old.schedulingGates ?? []).length > 0) setBack(wish, old, "nodeSelector");
  return wish;
}

function setBack(wish: PodSpec, old: PodSpec, field: keyof PodSpec): void {
  Object.assign(wish, { [field]: old[field] });
}

/** Which fields differ. The real server prints a difference of Go structs here; this names the same fields in JSON. */
function difference(old: PodSpec, wish: PodSpec): string {
  const fields = new Set([...Object.keys(old), ...Object.keys(wish)] as (keyof PodSpec)[]);
  const lines: string[] = [];
  for (const field of fields) {
    if (deepEqual(old[field], wish[field])) continue;
    lines.push(`- ${field}: ${JSON.stringify(old[field])}`, `+ ${field}: ${JSON.stringify(wish[field])}`);
  }
  return lines.join("\n");
}
