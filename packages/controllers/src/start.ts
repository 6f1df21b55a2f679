import { DhowError } from "@dhow/base";
import { certificateSigning } from "./certificate-signing.ts";
import { clusterroleAggregation } from "./clusterrole-aggregation.ts";
import { cronjob } from "./cronjob.ts";
import { daemonset } from "./daemonset.ts";
import { deployment } from "./deployment.ts";
import { disruption } from "./disruption.ts";
import { endpoints } from "./endpoints.ts";
import { endpointslice } from "./endpointslice.ts";
import { endpointsliceMirroring } from "./endpointslice-mirroring.ts";
import { ephemeralVolume } from "./ephemeral-volume.ts";
import { eventTtl } from "./event-ttl.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { horizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { job } from "./job.ts";
import { namespace } from "./namespace.ts";
import { nodeLifecycle } from "./node-lifecycle.ts";
import { persistentvolumeBinder } from "./persistentvolume-binder.ts";
import { podGc } from "./pod-gc.ts";
import { replicaset } from "./replicaset.ts";
import { resourcequota } from "./resourcequota.ts";
import { rootCa } from "./root-ca.ts";
import { scheduler } from "./scheduler.ts";
import { serviceLb } from "./service-lb.ts";
import { serviceaccount } from "./serviceaccount.ts";
import { statefulset } from "./statefulset.ts";
import { taintEviction } from "./taint-eviction.ts";
import { ttlAfterFinished } from "./ttl-after-finished.ts";
import { claimProtection, volumeProtection } from "./volume-protection.ts";
import { type Controller, Manager } from "./manager/manager.ts";
import { renderQueueMetrics } from "./manager/metrics.ts";
import type { ControllerOptions } from "./options.ts";

const controllers: readonly Controller[] = [
  deployment,
  replicaset,
  statefulset,
  daemonset,
  job,
  cronjob,
  scheduler,
  endpoints,
  endpointslice,
  endpointsliceMirroring,
  namespace,
  garbageCollector,
  serviceaccount,
  rootCa,
  serviceLb,
  persistentvolumeBinder,
  claimProtection,
  volumeProtection,
  disruption,
  nodeLifecycle,
  taintEviction,
  podGc,
  resourcequota,
  horizontalPodAutoscaler,
  ttlAfterFinished,
  ephemeralVolume,
  clusterroleAggregation,
  certificateSigning,
  eventTtl,
];

export interface RunningControllers {
  /** The lengths of the work queues in the Prometheus text format. */
  metrics(): string;
}

/** The names that `only` may hold. */
export const controllerNames: readonly string[] = controllers.map((controller) => controller.name);

/**
 * Starts the controllers and the scheduler; resolves when they have seen what is there and have begun to work. They run until the
 * signal is aborted.
 */
export async function startControllers(options: ControllerOptions): Promise<RunningControllers> {
  const { only = controllerNames } = options;
  const unknown = only.find((name) => !controllerNames.includes(name));
  if (unknown !== undefined) {
    throw new DhowError({
      code: "CONTROLLERS_UNKNOWN_NAME",
      message: `There is no controller named ${JSON.stringify(unknown)}`,
      instead: `one of ${controllerNames.join(", ")}`,
    });
  }
  const manager = new Manager(options);
  for (const controller of controllers) if (only.includes(controller.name)) controller.start(manager);
  await manager.begin();
  return { metrics: () => renderQueueMetrics(manager.queues) };
}
