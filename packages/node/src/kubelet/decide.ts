import type { Container, Pod } from "@dhow/kube";
import { type ContainerInstance, latest, type PodRecord } from "./pod-record.ts";
import { isSidecar } from "./status/phase.ts";

/** What is known of a container that runs now. */
export interface Running {
  readonly started: boolean;
  readonly stopping: boolean;
  /** The probe that demands its end. */
  readonly failedProbe: "Liveness" | "Startup" | undefined;
}

export interface KillDecision {
  readonly container: Container;
  readonly probe?: "Liveness" | "Startup";
  readonly message: string;
}

/** What the pod's worker should do next; nothing of it is done here. */
export interface Decision {
  readonly kill: readonly KillDecision[];
  /** To be started in this order, each only when its back-off is over. */
  readonly start: readonly Container[];
  /** All init containers have ended well. */
  readonly initialized: boolean;
  /** Nothing is left to run: the pod has succeeded or failed. */
  readonly finished: boolean;
}

interface DecideInput {
  readonly pod: Pod;
  readonly record: PodRecord;
  readonly running: (container: string) => Running | undefined;
}

/** Compares what should run with what runs (computePodActions in pkg/kubelet/kuberuntime/kuberuntime_manager.go). */
export function decide(input: DecideInput): Decision {
  const { pod, record } = input;
  const kill = kills(input);
  const init = initActions(input);
  if (init.failed) return { kill, start: [], initialized: false, finished: true };
  if (!init.done) return { kill, start: init.start, initialized: false, finished: false };
  const ends = pod.spec.containers.every((container) => {
    const instance = latest(record, container.name);
    return instance?.state === "exited" && !restarts(pod, container, instance);
  });
  if (ends) return { kill, start: [], initialized: true, finished: true };
  const regular = pod.spec.containers.filter((container) => wantsStart(input, container));
  const debug = (pod.spec.ephemeralContainers ?? []).filter(({ name }) => !latest(record, name)) as Container[];
  return { kill, start: [...init.start, ...regular, ...debug], initialized: true, finished: false };
}

/** Whether a container that has ended is to be run again. */
function restarts(pod: Pod, container: Container, instance: ContainerInstance): boolean {
  if (isSidecar(container)) return true;
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
  if (policy === "Always") return true;
  return policy === "OnFailure" && instance.exitCode !== 0;
}

function wantsStart({ pod, record, running }: DecideInput, container: Container): boolean {
  if (running(container.name)) return false;
  const instance = latest(record, container.name);
  if (!instance) return true;
  return instance.state === "exited" && restarts(pod, container, instance);
}

function initActions(input: DecideInput): { done: boolean; failed: boolean; start: Container[] } {
  const { pod, record, running } = input;
  const start: Container[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    const now = running(container.name);
    if (isSidecar(container)) {
      if (!now) start.push(container);
      if (!now?.started && !record.initialized) return { done: false, failed: false, start };
      continue;
    }
    if (record.initialized) continue;
    const instance = latest(record, container.name);
    const here = instance?.sandbox === record.sandbox ? instance : undefined;
    if (here?.state === "exited" && here.exitCode === 0) continue;
    if (now) return { done: false, failed: false, start };
    // After an interruption what did not end is run again; on a pod that never restarts it has failed.
    if (instance?.state === "exited" && pod.spec.restartPolicy === "Never" && instance.exitCode !== 0) {
      return { done: false, failed: true, start: [] };
    }
    start.push(container);
    return { done: false, failed: false, start };
  }
  return { done: true, failed: false, start };
}

function kills({ pod, record, running }: DecideInput): KillDecision[] {
  const decisions: KillDecision[] = [];
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const now = running(container.name);
    if (!now || now.stopping) continue;
    if (now.failedProbe) {
      const again = pod.spec.restartPolicy === "Never" && !isSidecar(container) ? "" : ", will be restarted";
      const message = `Container ${container.name} failed ${now.failedProbe.toLowerCase()} probe${again}`;
      decisions.push({ container, probe: now.failedProbe, message });
    } else if (latest(record, container.name)?.image !== container.image) {
      decisions.push({ container, message: `Container ${container.name} definition changed, will be restarted` });
    }
  }
  return decisions;
}
