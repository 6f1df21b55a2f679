import type { ContainerStatus, Pod } from "@dhow/kube";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

/** An init container that keeps running beside the others. */
export function isSidecar(container: { readonly restartPolicy?: string }): boolean {
  return container.restartPolicy === "Always";
}

interface PhaseInput {
  readonly pod: Pod;
  /** Of init and regular containers together. */
  readonly statuses: readonly ContainerStatus[];
  /** Whether nothing of the pod will be started any more. */
  readonly terminal: boolean;
  /** Whether all init containers had ended once. */
  readonly initialized: boolean;
}

/** The phase that follows from the states of the containers (getPhase in pkg/kubelet/kubelet_pods.go). */
export function podPhase(input: PhaseInput): Phase {
  const { pod, statuses, terminal, initialized } = input;
  const policy = pod.spec.restartPolicy ?? "Always";
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const init = countInit(pod, byName);
  const regular = countRegular(pod, byName);
  if (init.failed > 0 && policy === "Never") return "Failed";
  if (init.pending > 0 || (init.pendingSidecars > 0 && !initialized)) return "Pending";
  if (regular.waiting > 0) return "Pending";
  if (regular.running > 0 && regular.unknown === 0) return "Running";
  if (regular.running > 0 || regular.stopped === 0 || regular.unknown > 0) return "Pending";
  const allSucceeded = regular.stopped === regular.succeeded;
  if (terminal) return allSucceeded ? "Succeeded" : "Failed";
  if (policy === "Always") return "Running";
  if (allSucceeded) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

function countInit(pod: Pod, byName: ReadonlyMap<string, ContainerStatus>) {
  const counts = { pending: 0, pendingSidecars: 0, failed: 0 };
  for (const container of pod.spec.initContainers ?? []) {
    const status = byName.get(container.name);
    const last = status?.lastState?.terminated;
    if (isSidecar(container)) {
      if (status?.state?.running) counts.pendingSidecars += status.started ? 0 : 1;
      else if (!status?.state?.terminated && !last) counts.pendingSidecars += 1;
    } else if (status?.state?.terminated) counts.failed += status.state.terminated.exitCode === 0 ? 0 : 1;
    else if (status?.state?.waiting && last) counts.failed += last.exitCode === 0 ? 0 : 1;
    else counts.pending += 1;
  }
  return counts;
}

function countRegular(pod: Pod, byName: ReadonlyMap<string, ContainerStatus>) {
  const counts = { unknown: 0, running: 0, waiting: 0, stopped: 0, succeeded: 0 };
  for (const container of pod.spec.containers) {
    const status = byName.get(container.name);
    if (status?.state?.running) counts.running += 1;
    else if (status?.state?.terminated) {
      counts.stopped += 1;
      if (status.state.terminated.exitCode === 0) counts.succeeded += 1;
    } else if (status?.state?.waiting && status.lastState?.terminated) counts.stopped += 1;
    else if (status?.state?.waiting) counts.waiting += 1;
    else counts.unknown += 1;
  }
  return counts;
}
