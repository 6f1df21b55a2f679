import { clone, type Container, deepEqual, type FieldFault, fieldFault, type Pod } from "@dhow/kube";
import { qualityOfService } from "../kinds/pod/quality-of-service.ts";
import type { View } from "./view.ts";

const { forbidden, invalid } = fieldFault;

/** Containers that a person adds to a running pod to look around; they stay as they were added (ValidatePodEphemeralContainersUpdate). */
export const ephemeralContainers: View = {
  verbs: ["get", "update", "patch"],
  read: (object) => object,
  write(object, wish) {
    const pod = object as Pod;
    const added = (wish as Pod).spec.ephemeralContainers;
    return { ...pod, spec: { ...pod.spec, ...(added ? { ephemeralContainers: added } : {}) } };
  },
  strategy: (own) => ({
    ...own,
    validateUpdate: (object, old) => [...changedFaults(object as Pod, old as Pod)],
  }),
};

function* changedFaults(pod: Pod, old: Pod): Generator<FieldFault> {
  const containers = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = containers.get(before.name);
    if (!now) {
      yield forbidden(
        "spec.ephemeralContainers",
        `existing ephemeral containers "${before.name}" may not be removed\n`,
      );
    } else if (!deepEqual(now, before)) {
      yield forbidden(
        "spec.ephemeralContainers",
        `existing ephemeral containers "${before.name}" may not be changed\n`,
      );
    }
  }
}

/** Other amounts of CPU and memory for containers that run already; whatever else is sent is passed over (ValidatePodResize). */
export const resize: View = {
  verbs: ["get", "update", "patch"],
  read: (object) => object,
  write(object, wish) {
    const pod = object as Pod;
    const { spec } = wish as Pod;
    for (const kind of ["containers", "initContainers"] as const) {
      for (const container of pod.spec[kind] ?? []) {
        const wanted = spec[kind]?.find(({ name }) => name === container.name)?.resources;
        if (wanted) container.resources = wanted;
      }
    }
    return pod;
  },
  strategy: (own) => ({
    ...own,
    validateUpdate: (object, old) => [...resizeFaults(object as Pod, old as Pod)],
  }),
};

function* resizeFaults(pod: Pod, old: Pod): Generator<FieldFault> {
  if (qualityOfService(pod.spec) !== qualityOfService(old.spec)) {
    yield invalid("spec", pod.status?.qosClass ?? "", "Pod QOS Class may not change as a result of resizing");
  }
  for (const kind of ["containers", "initContainers"] as const) {
    for (const [index, container] of (pod.spec[kind] ?? []).entries()) {
      yield* removalFaults(container, old.spec[kind]?.[index], `spec.${kind}[${index}].resources`);
    }
  }
  if (!deepEqual(withoutAmounts(pod), withoutAmounts(old))) {
    yield forbidden("spec", "only cpu and memory resources are mutable");
  }
}

function* removalFaults(container: Container, old: Container | undefined, at: string): Generator<FieldFault> {
  for (const kind of ["requests", "limits"] as const) {
    const names = Object.keys(old?.resources?.[kind] ?? {});
    if (names.some((name) => container.resources?.[kind]?.[name] === undefined)) {
      yield forbidden(`${at}.${kind}`, `resource ${kind} cannot be removed`);
    }
  }
}

function withoutAmounts({ spec }: Pod): Pod["spec"] {
  const copy = clone(spec);
  for (const { resources } of [...(copy.containers ?? []), ...(copy.initContainers ?? [])]) {
    for (const amounts of [resources?.requests, resources?.limits]) {
      delete amounts?.["cpu"];
      delete amounts?.["memory"];
    }
    if (resources && Object.keys(resources.requests ?? {}).length === 0) delete resources.requests;
    if (resources && Object.keys(resources.limits ?? {}).length === 0) delete resources.limits;
  }
  return copy;
}
