import { type FieldFault, fieldFault, invalid as invalidObject, type KubeObject, type Pod } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { checkLabel1123 } from "../validation/names.ts";
import { defaultPod } from "./pod/defaults.ts";
import { qualityOfService } from "./pod/quality-of-service.ts";
import { podAnnotationFaults, podSpecFaults } from "./pod/spec.ts";
import { podUpdateFaults } from "./pod/update.ts";

// pkg/registry/core/pod/strategy.go

const { forbidden, invalid } = fieldFault;

export const pods: Strategy = {
  hasGeneration: true,
  applyDefaults: (object) => defaultPod(object as Pod),
  prepareForCreate(object) {
    const pod = object as Pod;
    if (pod.spec.ephemeralContainers?.length) {
      const fault = forbidden("spec.ephemeralContainers", "cannot be set on create");
      throw invalidObject("", "Pod", pod.metadata.name ?? "", [fault]);
    }
    pod.status = { phase: "Pending", qosClass: qualityOfService(pod.spec) };
    if (!pod.spec.schedulingGates?.length) return;
    // The kind says that it must be there, if only as null.
    const neverProbed = { lastProbeTime: null } as object;
    pod.status.conditions = [
      {
        ...neverProbed,
        type: "PodScheduled",
        status: "False",
        lastTransitionTime: pod.metadata.creationTimestamp ?? "",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ];
  },
  validate: (object) => [...podFaults(object as Pod)],
  validateUpdate: (object, old) => [...podUpdateFaults(object as Pod, old as Pod)],
  prepareForStatusUpdate(object, old) {
    const pod = object as Pod;
    const { ownerReferences } = old.metadata;
    if (ownerReferences) pod.metadata.ownerReferences = ownerReferences;
    else delete pod.metadata.ownerReferences;
    const qosClass = (old as Pod).status?.qosClass;
    if (pod.status && qosClass) pod.status.qosClass ||= qosClass;
  },
  warnings(object) {
    const messages = checkLabel1123(object.metadata.name ?? "");
    if (messages.length === 0) return [];
    const consequence =
      "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
    return [`metadata.name: ${consequence}: [${messages.join(" ")}]`];
  },
  gracePeriod,
};

function* podFaults(pod: Pod): Generator<FieldFault> {
  const spec = pod.spec ?? { containers: [] };
  yield* podAnnotationFaults(pod.metadata, spec, "metadata.annotations");
  yield* podSpecFaults(spec, "spec", { metadata: pod.metadata, isPod: true });
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    if (spec.serviceAccountName) break;
    for (const [sourceIndex, source] of (volume.projected?.sources ?? []).entries()) {
      if (!source.serviceAccountToken) continue;
      const place = `spec.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`;
      yield forbidden(place, "must not be specified when serviceAccountName is not set");
    }
  }
  for (const kind of ["containers", "initContainers"] as const) {
    for (const [index, { image = "" }] of (spec[kind] ?? []).entries()) {
      if (image === image.trim()) continue;
      yield invalid(`spec.${kind}[${index}].image`, image, "must not have leading or trailing whitespace");
    }
  }
}

function gracePeriod(object: KubeObject, requested: number | undefined): number {
  const { spec, status } = object as Pod;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  if (!spec.nodeName || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
  return seconds < 0 ? 1 : seconds;
}
