import { isStatusError, refOf } from "@dhow/kube";
import { findCondition } from "../conditions.ts";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, timestamp, uidOf } from "../objects.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Preemption } from "./preemption.ts";

/** Writes on the pod why it has no node, and which one it has been promised. */
export async function markUnschedulable(
  { client, clock }: Manager,
  { pod }: PodInfo,
  message: string,
  nominatedNodeName: string | undefined,
): Promise<void> {
  const before = findCondition(pod.status?.conditions, "PodScheduled");
  const said = before?.status === "False" && before.reason === "Unschedulable" && before.message === message;
  if (said && (nominatedNodeName === undefined || nominatedNodeName === pod.status?.nominatedNodeName)) return;
  const now = timestamp(clock);
  const condition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastProbeTime: null,
    lastTransitionTime: before?.status === "False" ? (before.lastTransitionTime ?? now) : now,
    observedGeneration: pod.metadata.generation,
  };
  const status = { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) };
  await tolerateGone(
    client.patch(refOf(pod), "strategic", { metadata: { uid: uidOf(pod) }, status }, { subresource: "status" }),
  );
}

/** Sends the victims of a preemption away, and says on each of them why (preemption/executor.go). */
export async function evictVictims(
  { client, clock }: Manager,
  recorder: EventRecorder,
  preemptor: PodInfo,
  { node, victims }: Preemption,
): Promise<void> {
  await Promise.all(
    victims.map(async ({ pod }) => {
      if (isDeleting(pod)) return;
      const condition = {
        type: "DisruptionTarget",
        status: "True",
        reason: "PreemptionByScheduler",
        message: "default-scheduler: preempting to accommodate a higher priority pod",
        lastTransitionTime: timestamp(clock),
        lastProbeTime: null,
      };
      const body = { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } };
      await tolerateGone(client.patch(refOf(pod), "strategic", body, { subresource: "status" }));
      await tolerateGone(client.delete(refOf(pod), { preconditions: { uid: uidOf(pod) } }));
      const message = `Preempted by pod ${preemptor.uid} on node ${node.name}`;
      recorder.event(pod, "Normal", "Preempted", message, "Preempting");
    }),
  );
}

async function tolerateGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isStatusError(error, "NotFound") && !isStatusError(error, "Conflict")) throw error;
  }
}
