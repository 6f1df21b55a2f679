import { isStatusError, type Job, type KubeClient, type Pod, refOf } from "@dhow/kube";
import { isDeleting, millisecondsOf, nameOf, uidOf } from "../objects.ts";
import { podFromTemplate } from "../pod-control.ts";
import { isPodTerminal } from "../pods.ts";

/** Keeps a finished pod until the Job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === "Indexed";
}

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A pod of the Job, for an index if it has them (pkg/controller/job/job_controller.go, manageJob; addCompletionIndexEnvVariables). */
export function buildPod(job: Job, index: number | undefined, more: Readonly<Record<string, string>> = {}): Pod {
  const base = podFromTemplate(job, job.spec?.template);
  const finalizers = [...(base.metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...base, metadata: { ...base.metadata, finalizers } };
  const text = String(index);
  const env = {
    name: "JOB_COMPLETION_INDEX",
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: `metadata.labels['${indexAnnotation}']` } },
  };
  const withIndex = <C extends { env?: { name: string }[] }>(container: C): C =>
    container.env?.some(({ name }) => name === env.name)
      ? container
      : { ...container, env: [...(container.env ?? []), env] };
  return {
    ...base,
    metadata: {
      ...base.metadata,
      generateName: `${nameOf(job)}-${index}-`,
      labels: { ...base.metadata.labels, [indexAnnotation]: text },
      annotations: { ...base.metadata.annotations, [indexAnnotation]: text, ...more },
      finalizers,
    },
    spec: {
      ...base.spec,
      hostname: base.spec.hostname ?? `${nameOf(job)}-${index}`,
      containers: base.spec.containers.map(withIndex),
      ...(base.spec.initContainers ? { initContainers: base.spec.initContainers.map(withIndex) } : {}),
    },
  };
}

/** When a finished pod finished. */
export function finishedAt(pod: Pod): number {
  const times = (pod.status?.containerStatuses ?? []).map(({ state }) => millisecondsOf(state?.terminated?.finishedAt));
  return Math.max(0, ...times) || millisecondsOf(pod.metadata.deletionTimestamp ?? pod.status?.startTime);
}

/** First wait after a failure, doubling with each, and the longest (DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff). */
const backOff = { first: 10_000, most: 600_000 };

/** The wait after so many failures in a row, in milliseconds. */
export function backOffAfter(failures: number): number {
  return Math.min(backOff.first * 2 ** (failures - 1), backOff.most);
}

/** How long to wait before the next pod, in milliseconds: after failures since the last success (backoff_utils.go). */
export function remainingBackOff(pods: readonly Pod[], now: number): number {
  const finished = pods.filter(isPodTerminal).sort((a, b) => finishedAt(a) - finishedAt(b));
  let failures = 0;
  let last = 0;
  for (const pod of finished) {
    if (pod.status?.phase === "Succeeded") failures = 0;
    else {
      failures++;
      last = finishedAt(pod);
    }
  }
  if (failures === 0) return 0;
  return Math.max(last + backOffAfter(failures) - now, 0);
}

/** Pods that restart their containers in place fail without ending: their restarts count against the limit (pastBackoffLimitOnFailure). */
export function restartsExceed(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  let restarts = 0;
  for (const pod of pods) {
    if (pod.status?.phase !== "Running" && pod.status?.phase !== "Pending") continue;
    for (const status of [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]) {
      restarts += status.restartCount;
    }
  }
  const limit = job.spec?.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

export function isTracked(pod: Pod): boolean {
  return (pod.metadata.finalizers ?? []).includes(trackingFinalizer);
}

/** A pod that is gone for the Job: ended, or deleted before it ended (which counts as a failure). */
export function outcomeOf(pod: Pod): "succeeded" | "failed" | undefined {
  if (pod.status?.phase === "Succeeded") return "succeeded";
  if (pod.status?.phase === "Failed") return "failed";
  return undefined;
}

/** Pods of a set of indexes, the newest of each first. */
export function surplusOf(pods: readonly Pod[]): Pod[] {
  const seen = new Set<number>();
  const surplus: Pod[] = [];
  for (const pod of [...pods].sort((a, b) => (uidOf(a) < uidOf(b) ? -1 : 1))) {
    const index = indexOf(pod);
    if (isDeleting(pod) || index === undefined || !seen.has(index)) seen.add(index ?? -1);
    else surplus.push(pod);
  }
  return surplus;
}

/** Lets a pod go that has been counted. Whatever else changed about it meanwhile does not matter. */
export async function releasePod(client: KubeClient, pod: Pod): Promise<void> {
  const metadata = { uid: uidOf(pod), "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] };
  try {
    await client.patch(refOf(pod), "strategic", { metadata });
  } catch (error) {
    if (!isStatusError(error, "NotFound") && !isStatusError(error, "Conflict")) throw error;
  }
}
