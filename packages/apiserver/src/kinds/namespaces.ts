import { type FieldFault, fieldFault, type Namespace } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { checkQualifiedName, labelName } from "../validation/names.ts";

// pkg/registry/core/namespace/strategy.go

const { invalid } = fieldFault;

export const namespaces: Strategy = {
  nameRule: labelName,
  applyDefaults(object) {
    const { name } = object.metadata;
    if (name) object.metadata.labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": name };
  },
  prepareForCreate(object) {
    const namespace = object as Namespace;
    namespace.status = { phase: "Active" };
    const finalizers = new Set(namespace.spec?.finalizers);
    namespace.spec = { ...namespace.spec, finalizers: [...finalizers.add("kubernetes")] };
    const { name } = object.metadata;
    if (name) object.metadata.labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": name };
  },
  prepareForUpdate(object, old) {
    // Only the finalize subresource takes finalizers away.
    (object as Namespace).spec = { ...(old as Namespace).spec };
  },
  validate: (object) => [...finalizerFaults(object as Namespace)],
  validateStatusUpdate: (object, old) => [...phaseFaults(object as Namespace, old as Namespace)],
};

export function* finalizerFaults({ spec }: Namespace): Generator<FieldFault> {
  for (const [index, finalizer] of (spec?.finalizers ?? []).entries()) {
    const at = `spec.finalizers[${index}]`;
    for (const message of checkQualifiedName(finalizer)) yield invalid(at, finalizer, message);
    if (finalizer.includes("/") || finalizer === "kubernetes" || finalizer === "orphan") continue;
    yield invalid(at, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
  }
}

function* phaseFaults({ status }: Namespace, { metadata }: Namespace): Generator<FieldFault> {
  const leaving = metadata.deletionTimestamp !== undefined;
  if (leaving && status?.phase !== "Terminating") {
    yield invalid("status.Phase", status?.phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
  } else if (!leaving && status?.phase !== "Active") {
    yield invalid("status.Phase", status?.phase, "may only be 'Active' if `deletionTimestamp` is empty");
  }
}
