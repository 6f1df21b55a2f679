import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from "@dhow/kube";
import type { PodRecord } from "../pod-record.ts";
import { podConditions } from "./conditions.ts";
import { type ContainerView, containerStatus } from "./container-status.ts";
import { timestamp } from "./format.ts";
import { type Phase, podPhase } from "./phase.ts";
import { qosClass } from "./qos.ts";

export interface PodStatusInput {
  readonly pod: Pod;
  readonly record: PodRecord;
  readonly podIP: string | undefined;
  readonly hostIP: string;
  readonly sandboxReady: boolean;
  /** Nothing of the pod will be started any more. */
  readonly terminal: boolean;
  readonly previousConditions: readonly PodCondition[];
  readonly now: number;
  readonly view: (container: Container) => ContainerView;
}

/** The whole status of a pod (generateAPIPodStatus in pkg/kubelet/kubelet_pods.go). */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, record, podIP, hostIP } = input;
  const init = pod.spec.initContainers ?? [];
  const initial = init.length > 0 ? "PodInitializing" : "ContainerCreating";
  const statuses = (containers: readonly Container[]) =>
    containers.map((container) => containerStatus(container, record, input.view(container), initial));
  const initStatuses = statuses(init);
  const containerStatuses = statuses(pod.spec.containers);
  const debug = statuses(pod.spec.ephemeralContainers ?? []);
  const phase = phaseOf(input, [...initStatuses, ...containerStatuses]);
  // While something of it may still run a pod is not shown as ended; its conditions are ahead (mergePodStatus in pkg/kubelet/status).
  const shown =
    input.terminal || (phase !== "Succeeded" && phase !== "Failed") ? phase : (pod.status?.phase ?? "Pending");
  const generation = pod.metadata.generation;
  return {
    phase: shown,
    ...(input.terminal ? (record.ended ?? {}) : {}),
    ...(generation ? { observedGeneration: generation } : {}),
    conditions: podConditions({
      pod,
      phase,
      initStatuses,
      statuses: containerStatuses,
      sandboxReady: input.sandboxReady,
      previous: input.previousConditions,
      now: timestamp(input.now),
    }),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    startTime: timestamp(record.startTime),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses,
    ...(debug.length > 0 ? { ephemeralContainerStatuses: debug } : {}),
    qosClass: qosClass(pod),
  };
}

function phaseOf(input: PodStatusInput, statuses: readonly ContainerStatus[]): Phase {
  const { pod, record, terminal } = input;
  // What the API has seen end does not begin again.
  const written = pod.status?.phase;
  if (written === "Succeeded" || written === "Failed") return written;
  if (record.ended) return "Failed";
  const phase = podPhase({ pod, statuses, terminal, initialized: record.initialized ?? false });
  // A pod that was deleted before anything of it had run has failed.
  if (terminal && (phase === "Pending" || phase === "Running")) return "Failed";
  return phase;
}
