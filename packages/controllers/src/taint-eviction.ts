import { isStatusError, type Node, type Pod, refOf, type Taint, type Toleration } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, keyOf, nameOf, splitKey, timestamp, uidOf } from "./objects.ts";
import { isPodTerminal } from "./pods.ts";
import { tolerates } from "./scheduler/node-filters.ts";

/**
 * How long a pod may stay on a node with these taints: 0 not at all, undefined for ever, else milliseconds
 * (pkg/controller/tainteviction, getMinTolerationTime).
 */
export function patience(tolerations: readonly Toleration[], taints: readonly Taint[]): number | undefined {
  const evicting = taints.filter((taint) => taint.effect === "NoExecute");
  let shortest: number | undefined;
  for (const taint of evicting) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return 0;
    for (const { tolerationSeconds } of matching) {
      if (tolerationSeconds === undefined) continue;
      shortest = Math.min(shortest ?? Infinity, Math.max(tolerationSeconds, 0) * 1000);
    }
  }
  return shortest;
}

/** Deletes pods that do not tolerate what their node is tainted with, once their patience is over. */
export const taintEviction: Controller = {
  name: "taint-eviction",
  start(manager) {
    const recorder = manager.recorder("taint-eviction-controller");
    const nodes = manager.informer(kinds.node);
    const pods = manager.informer(kinds.pod);
    const onNode = manager.index(kinds.pod, "node", (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
    /** Since when each pod has had to be patient. */
    const since = new Map<string, { uid: string; at: number }>();
    const queue = manager.queue("taint-eviction", {
      workers: 8,
      reconcile: async (key) => {
        const { namespace, name } = splitKey(key);
        const pod = pods.get(namespace, name);
        const node = nodes.get(undefined, pod?.spec.nodeName ?? "");
        const wait = pod && node && patience(pod.spec.tolerations ?? [], node.spec?.taints ?? []);
        if (!pod || isDeleting(pod) || isPodTerminal(pod) || wait === undefined) {
          const cancelled = since.delete(key);
          if (cancelled && pod && !isDeleting(pod)) {
            recorder.event(pod, "Normal", "TaintManagerEviction", `Cancelling deletion of Pod ${key}`);
          }
          return;
        }
        const known = since.get(key);
        const start = known?.uid === uidOf(pod) ? known.at : manager.clock.now();
        since.set(key, { uid: uidOf(pod), at: start });
        const left = start + wait - manager.clock.now();
        if (left > 0) return left;
        recorder.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${key}`);
        await evict(manager, pod);
        since.delete(key);
      },
    });
    const taints = (node: Node | undefined) =>
      JSON.stringify(node?.spec?.taints?.filter(({ effect }) => effect === "NoExecute"));
    nodes.onChange((node, old) => {
      if (taints(node) === taints(old)) return;
      for (const pod of onNode.get(nameOf((node ?? old) as Node))) queue.add(keyOf(pod));
    });
    pods.onChange((pod, old) => {
      const key = keyOf((pod ?? old) as Pod);
      const moved = pod?.spec.nodeName !== old?.spec.nodeName;
      if (moved || since.has(key)) queue.add(key);
    });
  },
};

async function evict(manager: Manager, pod: Pod): Promise<void> {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    lastTransitionTime: timestamp(manager.clock),
  };
  const body = { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } };
  try {
    await manager.client.patch(refOf(pod), "strategic", body, { subresource: "status" });
    await manager.client.delete(refOf(pod), { preconditions: { uid: uidOf(pod) } });
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}
