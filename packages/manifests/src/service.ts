import type { KubeObject } from "@dhow/kube";
import type { Service } from "@dhow/model";
import type { Context } from "./context.ts";
import { environmentVariables } from "./environment-variables.ts";
import { imageOf } from "./images.ts";
import { livenessProbe, readinessProbe } from "./probes.ts";
import { workloadObjects, type WorkloadShape } from "./workload.ts";

/** A service: Deployment, Service, ServiceAccount, NetworkPolicy and, where there are several pods, a PodDisruptionBudget. */
export function compileService(service: Service, context: Context): KubeObject[] {
  return workloadObjects(context, service, serviceShape(service, context));
}

export function serviceShape(service: Service, context: Context): WorkloadShape {
  const { options } = service;
  const health = options.health ?? "/health";
  const asking = (path: string) => ({ httpGet: { path, port: "main" } });
  return {
    image: imageOf(service, context.system.name, context.environment),
    port: options.port,
    env: [{ name: "PORT", value: String(options.port) }, ...environmentVariables(context, options.env ?? {})],
    resources: options.resources,
    liveness: livenessProbe(context, asking(health), options.probes?.liveness),
    readiness: readinessProbe(context, asking(options.ready ?? health), options.probes?.readiness),
    user: 1000,
    writable: options.writable ?? [],
    claims: {},
    graceSeconds: options.grace ?? 30,
    replicas: options.replicas ?? 2,
    nodePort: options.nodePort,
    strategy: "RollingUpdate",
    alone: false,
    internet: options.internet ?? false,
  };
}
