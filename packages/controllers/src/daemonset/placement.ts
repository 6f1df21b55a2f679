import type { DaemonSet, Node, Pod, Toleration } from "@dhow/kube";
import { nameOf } from "../objects.ts";
import { podFromTemplate } from "../pod-control.ts";
import { repellingTaints, toleratesAll, wantsNode } from "../scheduler/node-filters.ts";

export const revisionLabel = "controller-revision-hash";

/** What every pod of a DaemonSet stands (pkg/controller/daemon/util, AddOrUpdateDaemonPodTolerations). */
function daemonTolerations(hostNetwork: boolean): Toleration[] {
  const tolerate = (name: string, effect: "NoExecute" | "NoSchedule"): Toleration => ({
    key: `node.kubernetes.io/${name}`,
    operator: "Exists",
    effect,
  });
  return [
    tolerate("not-ready", "NoExecute"),
    tolerate("unreachable", "NoExecute"),
    tolerate("disk-pressure", "NoSchedule"),
    tolerate("memory-pressure", "NoSchedule"),
    tolerate("pid-pressure", "NoSchedule"),
    tolerate("unschedulable", "NoSchedule"),
    ...(hostNetwork ? [tolerate("network-unavailable", "NoSchedule")] : []),
  ];
}

/** The pod of a DaemonSet for a node; the scheduler binds it, by a field that only this node has. */
export function buildPod(set: DaemonSet, nodeName: string, revision: string): Pod {
  const pod = podFromTemplate(set, set.spec?.template);
  const field = { key: "metadata.name", operator: "In" as const, values: [nodeName] };
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms.map((term) => ({ ...term, matchFields: [field] })) ?? [
    { matchFields: [field] },
  ];
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [revisionLabel]: revision } },
    spec: {
      ...pod.spec,
      tolerations: [...(pod.spec.tolerations ?? []), ...daemonTolerations(pod.spec.hostNetwork === true)],
      affinity: {
        ...pod.spec.affinity,
        nodeAffinity: {
          ...pod.spec.affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
        },
      },
    },
  };
}

/** Whether the node should get a pod, and whether one that it has may stay (NodeShouldRunDaemonPod). */
export function placement(set: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const pod = buildPod(set, nameOf(node), "");
  const wanted = set.spec?.template.spec?.nodeName;
  if ((wanted && wanted !== nameOf(node)) || !wantsNode(pod, node.metadata.labels ?? {}, nameOf(node)))
    return { run: false, stay: false };
  const taints = repellingTaints(node);
  const tolerations = pod.spec.tolerations ?? [];
  const stay = toleratesAll(
    tolerations,
    taints.filter(({ effect }) => effect === "NoExecute"),
  );
  return { run: toleratesAll(tolerations, taints), stay };
}

/** The node of a pod: where it is, or where it is meant to go. */
export function targetNode(pod: Pod): string {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return (
    terms.flatMap(({ matchFields = [] }) => matchFields).find(({ key }) => key === "metadata.name")?.values?.[0] ?? ""
  );
}
