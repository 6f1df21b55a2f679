import { type KubeClient, type Pod, refOf } from "@dhow/kube";

/**
 * Takes back what the last agent said of pods that ended with it: until this one has started them again they are not ready, and
 * nobody shall be told so or sent to them.
 */
export async function withdrawReadiness(client: KubeClient, nodes: ReadonlySet<string>): Promise<void> {
  const { items } = await client.list<Pod>({ apiVersion: "v1", kind: "Pod" });
  const stale = items.filter((pod) => nodes.has(pod.spec?.nodeName ?? "") && isReady(pod));
  await Promise.all(
    stale.map(async (pod) => {
      const status = {
        conditions: ["Ready", "ContainersReady"].map((type) => ({
          type,
          status: "False",
          reason: "ContainersNotReady",
        })),
        containerStatuses: pod.status?.containerStatuses?.map((each) => ({ ...each, ready: false, started: false })),
      };
      await client.patch(refOf(pod), "strategic", { status }, { subresource: "status" });
    }),
  );
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
