import type { HorizontalPodAutoscaler } from "@dhow/kube";
import { AutoscalerReconciler } from "./autoscaling/reconciler.ts";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { keyOf } from "./objects.ts";

/** --horizontal-pod-autoscaler-sync-period */
const defaultPeriod = 15_000;

/** Sizes workloads by what the metrics API measures of their pods. */
export const horizontalPodAutoscaler: Controller = {
  name: "horizontal-pod-autoscaler",
  start(manager) {
    const reconciler = new AutoscalerReconciler(manager);
    const period = manager.options.autoscalerPeriodMilliseconds ?? defaultPeriod;
    const queue = manager.queue("horizontal-pod-autoscaler", {
      workers: 5,
      reconcile: async (key) => {
        await reconciler.reconcile(key);
        const slash = key.indexOf("/");
        const there = manager.informer(kinds.horizontalPodAutoscaler).get(key.slice(0, slash), key.slice(slash + 1));
        return there && period;
      },
    });
    manager.informer(kinds.pod);
    manager.informer(kinds.horizontalPodAutoscaler).onChange((autoscaler, old) => {
      // Its own status must not make it look again before the period is over.
      if (!autoscaler || !old || !sameSpec(autoscaler, old))
        queue.add(keyOf((autoscaler ?? old) as HorizontalPodAutoscaler));
    });
  },
};

function sameSpec(a: HorizontalPodAutoscaler, b: HorizontalPodAutoscaler): boolean {
  return JSON.stringify(a.spec) === JSON.stringify(b.spec);
}
