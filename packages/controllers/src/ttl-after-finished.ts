import { isStatusError, type Job, refOf } from "@dhow/kube";
import { findCondition } from "./conditions.ts";
import { isFinished } from "./job/conditions.ts";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { isDeleting, keyOf, millisecondsOf, splitKey, uidOf } from "./objects.ts";

/** Deletes Jobs some time after they have finished. */
export const ttlAfterFinished: Controller = {
  name: "ttl-after-finished",
  start(manager) {
    const jobs = manager.informer(kinds.job);
    const queue = manager.queue("ttl-after-finished", {
      reconcile: async (key) => {
        const { namespace, name } = splitKey(key);
        const job = jobs.get(namespace, name);
        const seconds = job?.spec?.ttlSecondsAfterFinished;
        if (!job || seconds === undefined || isDeleting(job) || !isFinished(job)) return;
        const left = finishedAt(job) + seconds * 1000 - manager.clock.now();
        if (left > 0) return left;
        try {
          await manager.client.delete(refOf(job), {
            propagationPolicy: "Foreground",
            preconditions: { uid: uidOf(job) },
          });
        } catch (error) {
          if (!isStatusError(error, "NotFound")) throw error;
        }
      },
    });
    jobs.onChange((job) => {
      if (job && isFinished(job)) queue.add(keyOf(job));
    });
  },
};

function finishedAt({ status }: Job): number {
  const done = findCondition(status?.conditions, "Complete") ?? findCondition(status?.conditions, "Failed");
  return millisecondsOf(done?.lastTransitionTime);
}
