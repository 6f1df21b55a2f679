import type { Node } from "@dhow/kube";
import type { AdmissionPlugin } from "../admission.ts";

const key = "node.kubernetes.io/not-ready";

/** A node takes no pods before it was found ready (plugin/pkg/admission/nodetaint). */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  admit({ object, operation, resource, subresource }) {
    if (resource !== "nodes" || subresource || operation !== "CREATE" || !object) return;
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === key && taint.effect === "NoSchedule")) return;
    node.spec = { ...node.spec, taints: [...taints, { key, effect: "NoSchedule" }] };
  },
};
