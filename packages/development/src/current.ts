import type { Clock } from "@dhow/base";
import { watchWorkloads } from "@dhow/deploy";
import type { KubeClient } from "@dhow/kube";

/** Every workload of a namespace as it is now. */
export async function currentWorkloads(
  client: KubeClient,
  namespace: string,
  clock: Clock,
): Promise<{ name: string; ready: number; wanted: number; complete: boolean }[]> {
  const stop = new AbortController();
  try {
    const watch = watchWorkloads(client, namespace, clock, stop.signal);
    await watch.synced;
    return watch.current().map(({ name, ready, wanted, complete }) => ({ name, ready, wanted, complete }));
  } finally {
    stop.abort();
  }
}
