import type { Pod } from "@dhow/kube";
import type { AdmissionPlugin } from "../admission.ts";

const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const seconds = 300;

/** Pods stay five minutes on a node that is gone, unless they say otherwise (plugin/pkg/admission/defaulttolerationseconds). */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  admit({ object, operation, resource, subresource }) {
    if (resource !== "pods" || subresource || operation === "DELETE" || operation === "CONNECT" || !object) return;
    const { spec } = object as Pod;
    const tolerations = spec.tolerations ?? [];
    const missing = taints.filter(
      (taint) => !tolerations.some(({ effect, key }) => (!key || key === taint) && (!effect || effect === "NoExecute")),
    );
    if (missing.length === 0) return;
    const added = missing.map((key) => ({
      key,
      operator: "Exists" as const,
      effect: "NoExecute" as const,
      tolerationSeconds: seconds,
    }));
    spec.tolerations = [...tolerations, ...added];
  },
};
