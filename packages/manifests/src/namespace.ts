import { type KubeObject, type LimitRange, type Namespace, Quantity, type ResourceQuota } from "@dhow/kube";
import { adminerShape } from "./adminer.ts";
import { type Context, isWorkload, type Workload } from "./context.ts";
import { metadata } from "./metadata.ts";
import { resourcesOf } from "./pod.ts";
import { postgresShape } from "./postgres.ts";
import { serviceShape } from "./service.ts";
import type { WorkloadShape } from "./workload.ts";

/** How many times its declared size a system may grow: by hand, by autoscaling, and during a rolling update. */
const headroom = 3;

/** The namespace of a system, held to the Pod Security Standard `restricted`, and a quota, so that one environment cannot starve another. */
export function namespaceObjects(context: Context): KubeObject[] {
  const { namespace } = context.environment;
  const { labels } = metadata(context, context.system.name);
  const levels = ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]);
  const namespaceObject: Namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, labels: { ...labels, ...Object.fromEntries(levels) } },
  };
  return [namespaceObject, quota(context), limits(context)];
}

function quota(context: Context): ResourceQuota {
  const shapes = context.system.values.filter(isWorkload).map((workload) => shapeOf(workload, context));
  const total = (side: "requests" | "limits", resource: string) => {
    const each = shapes.map((shape) =>
      Quantity.parse(resourcesOf(shape.resources)[side][resource] ?? "0").multiply(shape.replicas * headroom),
    );
    return each.reduce((sum, amount) => sum.add(amount), Quantity.parse("0")).toString();
  };
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: metadata(context, context.system.name),
    spec: {
      hard: {
        pods: String(shapes.reduce((sum, shape) => sum + shape.replicas * headroom, 0)),
        "requests.cpu": total("requests", "cpu"),
        "requests.memory": total("requests", "memory"),
        "limits.cpu": total("limits", "cpu"),
        "limits.memory": total("limits", "memory"),
      },
    },
  };
}

/** What a container gets that says nothing: without it, the quota would refuse a pod that somebody starts by hand. */
function limits(context: Context): LimitRange {
  const { requests, limits: most } = resourcesOf(undefined);
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: metadata(context, context.system.name),
    spec: { limits: [{ type: "Container", default: most, defaultRequest: requests }] },
  };
}

function shapeOf(workload: Workload, context: Context): WorkloadShape {
  switch (workload.kind) {
    case "adminer":
      return adminerShape(workload, context);
    case "postgres":
      return postgresShape(workload, context);
    case "service":
      return serviceShape(workload, context);
  }
}
