import type { ObjectMeta } from "@dhow/kube";
import type { Context } from "./context.ts";

/** The labels that a selector stands on: they never change while the name stays. */
export function selectorOf(name: string): Record<string, string> {
  return { app: name };
}

/** Name, namespace and the recommended labels (kubernetes.io: "Recommended Labels") of an object that belongs to `owner`. */
export function metadata(context: Context, owner: string, name = owner): ObjectMeta {
  return {
    name,
    namespace: context.environment.namespace,
    labels: {
      ...selectorOf(owner),
      "app.kubernetes.io/name": owner,
      "app.kubernetes.io/part-of": context.system.name,
      "app.kubernetes.io/managed-by": "dhow",
    },
  };
}
