import type { Clock } from "@dhow/base";
import type { Pod } from "@dhow/kube";
import type { PodRecord } from "./pod-record.ts";

const deadlineReason = "DeadlineExceeded";
const deadlineMessage = "Pod was active on the node longer than the specified deadline";

/**
 * Notes in the record that the pod has run longer than its activeDeadlineSeconds, and calls back then (pkg/kubelet/active_deadline.go). The returned
 * function cancels.
 */
export function onDeadline(pod: Pod, record: PodRecord, clock: Clock, callback: () => void): () => void {
  const seconds = pod.spec.activeDeadlineSeconds;
  if (seconds === undefined || record.finished || record.ended) return () => undefined;
  const left = record.startTime + seconds * 1000 - clock.now();
  return clock.after(Math.max(0, left), () => {
    record.ended = { reason: deadlineReason, message: deadlineMessage };
    callback();
  });
}
