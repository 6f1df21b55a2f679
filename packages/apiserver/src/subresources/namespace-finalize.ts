import type { Namespace } from "@dhow/kube";
import { finalizerFaults } from "../kinds/namespaces.ts";
import type { View } from "./view.ts";

/** Takes away what holds a namespace back; nothing else changes its `spec.finalizers` (pkg/registry/core/namespace/strategy.go). */
export const namespaceFinalize: View = {
  verbs: ["update"],
  read: (object) => object,
  write: (object, wish) => ({ ...object, spec: { ...(wish as Namespace).spec } }),
  strategy: () => ({ validate: (object) => [...finalizerFaults(object as Namespace)] }),
};
