import { fieldFault, type FieldFault, invalid, type KubeObject } from "@dhow/kube";
import type { View } from "../subresources/view.ts";
import type { ScalePaths } from "./schema.ts";

// apiextensions-apiserver/pkg/registry/customresource/etcd.go ScaleREST, validator.go ValidateScaleSpec

type Fields = Record<string, unknown>;

/** A value by a simple path, `.spec.replicas`; a string that says what is in the way, where something is (unstructured NestedInt64). */
function read(object: KubeObject, path: string): { value?: unknown; fault?: string } {
  let value: unknown = object;
  for (const part of path.split(".").slice(1)) {
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null)
      return { fault: `${shown(value)}, expected map[string]interface{}` };
    value = (value as Fields)[part];
  }
  return { value };
}

function shown(value: unknown): string {
  const type = typeof value === "number" ? "float64" : typeof value === "boolean" ? "bool" : typeof value;
  return `${String(value)} is of the type ${type}`;
}

/** Replicas that cannot be read where the definition says they are. */
export function scaleFaults(object: KubeObject, paths: ScalePaths | undefined): FieldFault[] {
  if (!paths) return [];
  return [paths.specReplicasPath, paths.statusReplicasPath].flatMap((path) => {
    const { value, fault } = read(object, path);
    if (fault !== undefined) return [fieldFault.invalid(path, 0, `${path} accessor error: ${fault}`)];
    if (value === undefined || value === null) return [];
    if (!Number.isInteger(value)) {
      return [fieldFault.invalid(path, 0, `${path} accessor error: ${shown(value)}, expected int64`)];
    }
    return (value as number) < 0 ? [fieldFault.invalid(path, value, "should be a non-negative integer")] : [];
  });
}

function write(object: KubeObject, path: string, value: unknown): KubeObject {
  const parts = path.split(".").slice(1);
  const last = parts.pop() ?? "";
  let at: Fields = object;
  for (const part of parts) at = (at[part] ??= {}) as Fields;
  at[last] = value;
  return object;
}

/** The scale of a custom kind, where its definition says the numbers are. */
export function customScale(paths: ScalePaths): View {
  const numberAt = (object: KubeObject, path: string): number => {
    const { value } = read(object, path);
    return typeof value === "number" ? value : 0;
  };
  return {
    kind: { apiVersion: "autoscaling/v1", kind: "Scale" },
    verbs: ["get", "update", "patch"],
    read(object) {
      const { creationTimestamp, name, namespace, resourceVersion, uid } = object.metadata;
      const replicas = numberAt(object, paths.specReplicasPath);
      const selector = paths.labelSelectorPath ? read(object, paths.labelSelectorPath).value : undefined;
      return {
        kind: "Scale",
        apiVersion: "autoscaling/v1",
        metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
        spec: replicas === 0 ? {} : { replicas },
        status: { replicas: numberAt(object, paths.statusReplicasPath), ...(selector ? { selector } : {}) },
      };
    },
    write(object, wish) {
      const { replicas = 0 } = (wish["spec"] ?? {}) as { replicas?: number };
      if (replicas < 0) {
        const fault = fieldFault.invalid("spec.replicas", replicas, "should be a non-negative integer");
        throw invalid("autoscaling", "Scale", object.metadata.name ?? "", [fault]);
      }
      return write(object, paths.specReplicasPath, replicas);
    },
  };
}
