import { fieldFault, formatLabelSelector, invalid, type KubeObject, type LabelSelector } from "@dhow/kube";
import type { View } from "./view.ts";

interface Scalable extends KubeObject {
  spec?: { replicas?: number; selector?: LabelSelector };
  status?: { replicas?: number };
}

/** How many pods a workload wants and has, whatever else it is (pkg/registry/apps/deployment/storage/storage.go). */
export const scale: View = {
  kind: { apiVersion: "autoscaling/v1", kind: "Scale" },
  verbs: ["get", "update", "patch"],
  read(object) {
    const { creationTimestamp, name, namespace, resourceVersion, uid } = object.metadata;
    const { spec, status } = object as Scalable;
    return {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: spec?.replicas ? { replicas: spec.replicas } : {},
      status: {
        replicas: status?.replicas ?? 0,
        ...(spec?.selector ? { selector: formatLabelSelector(spec.selector) } : {}),
      },
    };
  },
  write(object, wish) {
    const replicas = (wish as Scalable).spec?.replicas ?? 0;
    if (replicas < 0) {
      const fault = fieldFault.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
      throw invalid("autoscaling", "Scale", object.metadata.name ?? "", [fault]);
    }
    return { ...object, spec: { ...(object as Scalable).spec, replicas } };
  },
};
