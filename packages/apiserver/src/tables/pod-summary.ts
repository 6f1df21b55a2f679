import type { Container, ContainerStatus, Pod } from "@dhow/kube";
import { since } from "./duration.ts";

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** `Running`, `Init:0/2`, `CrashLoopBackOff`, `Completed`, `Terminating` … */
  readonly status: string;
  /** `0`, `3 (5m ago)`. */
  readonly restarts: string;
}

/** One pass over containers' statuses. */
interface Tally {
  ready: number;
  restarts: number;
  /** Milliseconds since 1970 of the last end of a container that was started again. */
  lastRestart: number | undefined;
  reason: string | undefined;
}

/** What a pod is doing, in three cells: printPod in pkg/printers/internalversion/printers.go. */
export function podSummary(pod: Pod, now: number): PodSummary {
  const { spec, status } = pod;
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const init = tallyInit(pod, sidecars);
  const initialized = status?.conditions?.find(({ type }) => type === "Initialized")?.status === "True";
  const main = init.all.reason === undefined || initialized ? tallyMain(pod) : undefined;
  const counted = main ? merge(init.sidecars, main) : init.all;
  const ready = init.all.ready + (main?.ready ?? 0);
  const reason = main?.reason ?? init.all.reason ?? statusReason(pod);
  const total = spec.containers.length + sidecars.size;
  return { ready, total, status: overridden(pod, reason), restarts: restartsText(counted, now) };
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

function statusReason({ status }: Pod): string {
  const gated = status?.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated");
  if (gated) return "SchedulingGated";
  return status?.reason || status?.phase || "";
}

function overridden(pod: Pod, reason: string): string {
  if (!pod.metadata.deletionTimestamp) return reason;
  if (pod.status?.reason === "NodeLost") return "Unknown";
  const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return ended ? reason : "Terminating";
}

function restartsText({ restarts, lastRestart }: Tally, now: number): string {
  if (restarts === 0 || lastRestart === undefined) return String(restarts);
  return `${restarts} (${since(new Date(lastRestart).toISOString(), now)} ago)`;
}

function emptyTally(): Tally {
  return { ready: 0, restarts: 0, lastRestart: undefined, reason: undefined };
}

function merge(a: Tally, b: Tally): Tally {
  return { ...b, restarts: a.restarts + b.restarts, lastRestart: latest(a.lastRestart, b.lastRestart) };
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}

function count(tally: Tally, status: ContainerStatus): void {
  tally.restarts += status.restartCount;
  const finished = status.lastState?.terminated?.finishedAt;
  if (finished) tally.lastRestart = latest(tally.lastRestart, Date.parse(finished));
}

/** Init containers up to the first that has not done its part; sidecars are also counted on their own. */
function tallyInit({ spec, status }: Pod, sidecars: ReadonlySet<string>): { all: Tally; sidecars: Tally } {
  const all = emptyTally();
  const beside = emptyTally();
  for (const [at, container] of (status?.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(container.name);
    count(all, container);
    if (sidecar) count(beside, container);
    if (container.state?.terminated?.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) all.ready += 1;
      continue;
    }
    all.reason = initReason(container, at, spec.initContainers?.length ?? 0);
    break;
  }
  return { all, sidecars: beside };
}

function initReason({ state }: ContainerStatus, at: number, total: number): string {
  if (state?.terminated) return `Init:${endReason(state.terminated)}`;
  const waiting = state?.waiting?.reason;
  return waiting && waiting !== "PodInitializing" ? `Init:${waiting}` : `Init:${at}/${total}`;
}

function endReason({ reason, signal, exitCode }: { reason?: string; signal?: number; exitCode: number }): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

/** The first container that waits or ended says what the pod is doing. */
function tallyMain({ status }: Pod): Tally {
  const tally = emptyTally();
  let running = false;
  let failure: string | undefined;
  for (const container of [...(status?.containerStatuses ?? [])].reverse()) {
    count(tally, container);
    const { waiting, terminated } = container.state ?? {};
    if (waiting?.reason) tally.reason = waiting.reason;
    else if (terminated) {
      tally.reason = endReason(terminated);
      if (terminated.exitCode !== 0) failure = tally.reason;
    } else if (container.ready && container.state?.running) {
      running = true;
      tally.ready += 1;
    }
  }
  if (tally.reason === "Completed") {
    const ready = status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    if (running && ready) tally.reason = "Running";
    else if (failure) tally.reason = failure;
    else if (running) tally.reason = "NotReady";
  }
  return tally;
}
