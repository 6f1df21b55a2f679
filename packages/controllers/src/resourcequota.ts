import {
  builtInResources,
  deepEqual,
  type KubeObject,
  type Pod,
  Quantity,
  type ResourceInfo,
  type ResourceQuota,
} from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, keyOf, namespaceOf, splitKey } from "./objects.ts";
import { isPodTerminal } from "./pods.ts";
import {
  claimUsage,
  countedResource,
  countUsage,
  inScope,
  podUsage,
  serviceUsage,
  totalUsage,
  type Usage,
} from "./quota/usage.ts";

/** Everything is counted anew so often (--resource-quota-sync-period). */
const resync = 5 * 60_000;

/**
 * Counts what quotas limit. Admission counts up before an object is created; this gives back what is gone, and counts anew when a quota
 * changes (pkg/controller/resourcequota).
 */
export const resourcequota: Controller = {
  name: "resourcequota",
  start(manager) {
    const quotas = manager.informer(kinds.resourceQuota);
    const watched = new Set<string>();
    const queue = manager.queue("resourcequota", { reconcile: (key) => reconcile(manager, key) });
    const replenish = (namespace: string) => {
      for (const quota of quotas.list(namespace)) queue.add(keyOf(quota));
    };
    quotas.onChange((quota, old) => {
      if (!quota) return;
      for (const name of Object.keys(quota.spec?.hard ?? {})) watch(manager, watched, name, replenish);
      // Not at every change of its status, which is what admission writes: that would count objects that are about to be.
      if (!old || !deepEqual(quota.spec, old.spec) || !deepEqual(quota.status?.hard, quota.spec?.hard))
        queue.add(keyOf(quota));
    });
    manager.informer(kinds.pod).onChange((pod, old) => {
      const freed = !pod || (isPodTerminal(pod) && old && !isPodTerminal(old));
      if (freed) replenish(namespaceOf((pod ?? old) as Pod));
    });
    manager.informer(kinds.service).onChange((service, old) => {
      if (old && service?.spec?.type !== old.spec?.type) replenish(namespaceOf(old));
    });
    manager.informer(kinds.persistentVolumeClaim).onChange((claim, old) => {
      if (old && (!claim || !deepEqual(claim.spec?.resources, old.spec?.resources))) replenish(namespaceOf(old));
    });
    manager.every(resync, "resourcequota", () => {
      for (const quota of quotas.list()) queue.add(keyOf(quota));
    });
  },
};

function infoOf(name: string): ResourceInfo | undefined {
  const counted = countedResource(name);
  return (
    counted && builtInResources.find(({ resource, group }) => resource === counted.resource && group === counted.group)
  );
}

function kindOf(info: ResourceInfo): { apiVersion: string; kind: string } {
  return { apiVersion: info.group ? `${info.group}/${info.version}` : info.version, kind: info.kind };
}

/** What a quota counts by name is watched from then on. */
function watch(manager: Manager, watched: Set<string>, name: string, replenish: (namespace: string) => void): void {
  const info = infoOf(name);
  if (!info || watched.has(info.resource)) return;
  watched.add(info.resource);
  manager.informer<KubeObject>(kindOf(info)).onChange((next, old) => {
    if (!next && old) replenish(namespaceOf(old));
  });
}

async function reconcile(manager: Manager, key: string): Promise<void> {
  const { namespace, name } = splitKey(key);
  const quota = manager.informer(kinds.resourceQuota).get(namespace, name);
  if (!quota || isDeleting(quota)) return;
  const hard = quota.spec?.hard ?? {};
  const used = totalUsage(hard, await usages(manager, quota, namespace));
  if (deepEqual(quota.status?.hard, hard) && sameAmounts(quota.status?.used, used)) return;
  await manager.client.updateStatus<ResourceQuota>({ ...quota, status: { hard, used } });
}

function sameAmounts(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(b);
  if (Object.keys(a).length !== names.length) return false;
  return names.every(
    (name) => a[name] !== undefined && Quantity.parse(a[name]).compare(Quantity.parse(b[name] ?? "0")) === 0,
  );
}

async function usages(manager: Manager, quota: ResourceQuota, namespace: string): Promise<Usage[]> {
  const pods = manager
    .informer(kinds.pod)
    .list(namespace)
    .filter((pod) => inScope(quota, pod));
  const parts = pods.map(podUsage);
  const scoped = (quota.spec?.scopes ?? []).length > 0 || quota.spec?.scopeSelector !== undefined;
  if (scoped) return parts;
  parts.push(...manager.informer(kinds.service).list(namespace).map(serviceUsage));
  parts.push(...manager.informer(kinds.persistentVolumeClaim).list(namespace).map(claimUsage));
  const counted = new Set(["count/pods", "count/services", "count/persistentvolumeclaims"]);
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const info = counted.has(name) ? undefined : infoOf(name);
    if (!info) continue;
    const informer = manager.informer<KubeObject>(kindOf(info));
    await informer.synced;
    parts.push(countUsage(name, informer.list(namespace)));
  }
  return parts;
}
