import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@dhow/base";
import { type Pod, Quantity } from "@dhow/kube";
import type { PodRecord } from "./pod-record.ts";

export const evictedReason = "Evicted";

/** How often a node looks (the monitoring interval of the kubelet's eviction manager). */
const interval = 10_000;

/**
 * Notes in the record that an emptyDir of the pod has grown beyond its sizeLimit, and calls back then (localStorageEviction in
 * pkg/kubelet/eviction). What is in memory has that size to begin with. The returned function cancels.
 */
export function onOverfull(
  { pod, record, folder, clock }: { pod: Pod; record: PodRecord; folder: string; clock: Clock },
  callback: () => void,
): () => void {
  const limited = (pod.spec.volumes ?? []).flatMap(({ name, emptyDir }) =>
    emptyDir?.sizeLimit && emptyDir.medium !== "Memory" ? [{ name, limit: emptyDir.sizeLimit }] : [],
  );
  if (limited.length === 0 || record.finished || record.ended) return () => undefined;
  let cancelled = false;
  let cancel = clock.after(interval, () => void look());
  const look = async () => {
    for (const { name, limit } of limited) {
      const used = await sizeOf(join(folder, "volumes", name));
      if (cancelled || record.ended) return;
      if (used <= Quantity.parse(limit).value()) continue;
      const message = `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
      record.ended = { reason: evictedReason, message };
      return callback();
    }
    cancel = clock.after(interval, () => void look());
  };
  return () => {
    cancelled = true;
    cancel();
  };
}

/** Bytes on the disk; what goes away meanwhile is not counted. */
async function sizeOf(path: string): Promise<number> {
  const status = await lstat(path).catch(() => undefined);
  if (!status?.isDirectory()) return (status?.blocks ?? 0) * 512;
  let size = 0;
  for (const name of await readdir(path).catch(() => [])) size += await sizeOf(join(path, name));
  return size;
}
