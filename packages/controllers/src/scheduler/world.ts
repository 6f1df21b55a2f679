import type { LabelSelector } from "@dhow/kube";
import { kinds } from "../kinds.ts";
import type { Manager } from "../manager/manager.ts";
import { controllerOf } from "../objects.ts";
import { labelSelectorMatcher, selects, type Labels } from "../selectors.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { SchedulingWorld } from "./filter.ts";
import type { PodInfo } from "./pod-info.ts";

/** What the scheduler knows besides nodes and pods, straight from the informers. */
export function schedulingWorld(manager: Manager, cluster: ClusterState): SchedulingWorld {
  const services = manager.informer(kinds.service);
  const replicaSets = manager.informer(kinds.replicaSet);
  const statefulSets = manager.informer(kinds.statefulSet);
  const namespaces = manager.informer(kinds.namespace);
  const claims = manager.informer(kinds.persistentVolumeClaim);
  const volumes = manager.informer(kinds.persistentVolume);
  const classes = manager.informer(kinds.storageClass);

  const ownerSelector = ({ pod, namespace }: PodInfo): LabelSelector | undefined => {
    const owner = controllerOf(pod);
    if (owner?.kind === "ReplicaSet") return replicaSets.get(namespace, owner.name)?.spec?.selector;
    if (owner?.kind === "StatefulSet") return statefulSets.get(namespace, owner.name)?.spec?.selector;
    return undefined;
  };

  return {
    cluster,
    namespaceLabels: (namespace) => namespaces.get(undefined, namespace)?.metadata.labels ?? {},
    volumes: {
      claim: (namespace, name) => claims.get(namespace, name),
      volume: (name) => volumes.get(undefined, name),
      volumes: () => volumes.list(),
      storageClass: (name) => classes.get(undefined, name),
    },
    // All of their selectors at once (pkg/scheduler/framework/plugins/helper/spread.go, DefaultSelector).
    belongsTogether: (info) => {
      const labels: Record<string, string> = {};
      for (const service of services.list(info.namespace)) {
        if (selects(service.spec?.selector, info.labels)) Object.assign(labels, service.spec?.selector);
      }
      const owner = ownerSelector(info);
      if (!owner && Object.keys(labels).length === 0) return undefined;
      const ownerMatches = owner ? labelSelectorMatcher(owner) : () => true;
      const entries = Object.entries(labels);
      return (other: Labels) => entries.every(([key, value]) => other[key] === value) && ownerMatches(other);
    },
  };
}
