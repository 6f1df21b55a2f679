import type { Clock } from "@dhow/base";
import { deepEqual, type KubeClient, type Node, refOf, type Taint } from "@dhow/kube";
import { findCondition } from "./conditions.ts";
import { timestamp } from "./objects.ts";

const prefix = "node.kubernetes.io/";
const managed = new Set(
  [
    "not-ready",
    "unreachable",
    "unschedulable",
    "memory-pressure",
    "disk-pressure",
    "pid-pressure",
    "network-unavailable",
  ].map((name) => prefix + name),
);

/** The taints that a node's conditions and its `unschedulable` ask for (pkg/controller/nodelifecycle/node_lifecycle_controller.go). */
export function conditionTaints(node: Node): Taint[] {
  const status = (type: string) => findCondition(node.status?.conditions, type)?.status;
  const taints: Taint[] = [];
  const add = (name: string, effect: Taint["effect"]) => taints.push({ key: prefix + name, effect });
  const ready = status("Ready");
  if (ready === "Unknown") {
    add("unreachable", "NoSchedule");
    add("unreachable", "NoExecute");
  } else if (ready === "False") {
    add("not-ready", "NoSchedule");
    add("not-ready", "NoExecute");
  }
  if (status("MemoryPressure") === "True") add("memory-pressure", "NoSchedule");
  if (status("DiskPressure") === "True") add("disk-pressure", "NoSchedule");
  if (status("PIDPressure") === "True") add("pid-pressure", "NoSchedule");
  if (status("NetworkUnavailable") === "True") add("network-unavailable", "NoSchedule");
  if (node.spec?.unschedulable) add("unschedulable", "NoSchedule");
  return taints;
}

/** Brings the taints that follow from conditions in line; others are left alone. A node that has said nothing yet keeps what admission gave it. */
export async function reconcileTaints(client: KubeClient, clock: Clock, node: Node): Promise<void> {
  const current = node.spec?.taints ?? [];
  if (!findCondition(node.status?.conditions, "Ready")) return;
  const wanted = conditionTaints(node);
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  const kept = current.filter((taint) => !managed.has(taint.key) || wanted.some((other) => same(taint, other)));
  const added = wanted.filter((taint) => !current.some((other) => same(taint, other)));
  if (added.length === 0 && kept.length === current.length) return;
  const taints = [...kept, ...added.map((taint) => ({ ...taint, timeAdded: timestamp(clock) }))];
  if (deepEqual(taints, current)) return;
  const { resourceVersion } = node.metadata;
  await client.patch(refOf(node), "merge", {
    metadata: { resourceVersion },
    spec: { taints: taints.length > 0 ? taints : null },
  });
}
