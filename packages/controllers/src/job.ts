import type { Job } from "@dhow/kube";
import { JobReconciler } from "./job/reconciler.ts";
import { releasePod, trackingFinalizer } from "./job/pods.ts";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { controllerOf, isDeleting, keyOf, uidOf } from "./objects.ts";
import { ownedPods, watchPods } from "./owned-pods.ts";

/** Runs pods to completion. */
export const job: Controller = {
  name: "job",
  start(manager) {
    const reconciler = new JobReconciler(manager);
    const { expectations } = reconciler;
    const queue = manager.queue("job", { workers: 5, reconcile: (key) => reconciler.reconcile(key) });
    const jobs = manager.informer(kinds.job);
    // A pod whose Job is gone must not be held by a finalizer that nobody takes off.
    const orphans = manager.queue("job-orphan-pods", {
      reconcile: async (key) => {
        const slash = key.indexOf("/");
        const pod = manager.informer(kinds.pod).get(key.slice(0, slash), key.slice(slash + 1));
        const owner = pod && controllerOf(pod);
        if (!pod || (owner?.kind === "Job" && jobs.get(pod.metadata.namespace, owner.name)?.metadata.uid === owner.uid))
          return;
        await releasePod(manager.client, pod);
      },
    });
    jobs.onChange((next, old) => {
      if (!next && old) {
        expectations.forget(keyOf(old));
        for (const pod of ownedPods(manager).ownedBy(old)) orphans.add(keyOf(pod));
      }
      queue.add(keyOf((next ?? old) as Job));
    });
    watchPods(manager, {
      kind: "Job",
      find: (namespace, name) => jobs.get(namespace, name),
      created: (owner) => {
        expectations.created(keyOf(owner));
        queue.add(keyOf(owner));
      },
      changed: (owner) => queue.add(keyOf(owner)),
      deleted: (owner, pod) => {
        expectations.deleted(keyOf(owner), uidOf(pod));
        queue.add(keyOf(owner));
      },
    });
    manager.informer(kinds.pod).onChange((pod) => {
      if (pod?.metadata.finalizers?.includes(trackingFinalizer) && isDeleting(pod)) orphans.add(keyOf(pod));
    });
  },
};
