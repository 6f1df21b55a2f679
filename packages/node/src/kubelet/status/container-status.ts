import type { Container, ContainerState, ContainerStateTerminated, ContainerStatus } from "@dhow/kube";
import { type ContainerInstance, latest, type PodRecord, restartCount } from "../pod-record.ts";
import { timestamp } from "./format.ts";

/** What the probes and the last attempt to start say of a container now. */
export interface ContainerView {
  readonly started: boolean;
  readonly ready: boolean;
  /** Its process is there, and its postStart hook has not ended yet. */
  readonly inPostStart: boolean;
  /** Why it does not run, where an attempt to start it was put off or failed. */
  readonly waiting?: { readonly reason: string; readonly message?: string };
}

/** How container ids begin, as `containerd://` does for that runtime. */
export const runtimeName = "dhow";

/** The status of one container as a kubelet reports it (convertToAPIContainerStatuses in pkg/kubelet/kubelet_pods.go). */
export function containerStatus(
  container: Container,
  record: PodRecord,
  view: ContainerView,
  defaultWaiting: string,
): ContainerStatus {
  const instance = latest(record, container.name);
  const previous = record.containers[container.name]?.[1];
  const waiting = waitingOf(instance, view, defaultWaiting);
  const status: ContainerStatus = {
    name: container.name,
    image: instance?.image ?? container.image ?? "",
    imageID: instance?.imageID ?? "",
    ready: view.ready,
    started: view.started,
    restartCount: restartCount(instance),
    state: waiting ? { waiting } : presentState(instance, defaultWaiting),
    lastState: lastState(waiting && instance?.state === "exited" ? instance : previous),
  };
  if (instance) {
    status.containerID = `${runtimeName}://${instance.id}`;
    status.resources = container.resources ?? {};
    if (container.resources?.requests) status.allocatedResources = container.resources.requests;
    const { uid, gid, supplementalGroups } = instance.user;
    status.user = { linux: { uid, gid, supplementalGroups: [...supplementalGroups] } };
  }
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) =>
    readOnly ? { name, mountPath, readOnly, recursiveReadOnly: "Disabled" } : { name, mountPath },
  );
  if (mounts.length > 0) status.volumeMounts = mounts;
  return status;
}

function waitingOf(instance: ContainerInstance | undefined, view: ContainerView, reason: string) {
  if (view.inPostStart) return { reason };
  return instance?.state === "running" ? undefined : view.waiting;
}

function presentState(instance: ContainerInstance | undefined, defaultWaiting: string): ContainerState {
  if (!instance || instance.state === "created") return { waiting: { reason: defaultWaiting } };
  if (instance.state === "running") return { running: { startedAt: timestamp(instance.startedAt ?? 0) } };
  return { terminated: terminated(instance) };
}

function lastState(instance: ContainerInstance | undefined): ContainerState {
  return instance?.state === "exited" ? { terminated: terminated(instance) } : {};
}

function terminated(instance: ContainerInstance): ContainerStateTerminated {
  return {
    exitCode: instance.exitCode ?? 0,
    reason: instance.reason ?? "Completed",
    ...(instance.message ? { message: instance.message } : {}),
    startedAt: timestamp(instance.startedAt ?? 0),
    finishedAt: timestamp(instance.finishedAt ?? 0),
    containerID: `${runtimeName}://${instance.id}`,
  };
}
