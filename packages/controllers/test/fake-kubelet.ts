import { type Clock, systemClock } from "@dhow/base";
import { type KubeClient, type Pod, refOf, startInformer } from "@dhow/kube";

export interface FakeKubeletOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** What becomes of a bound pod: it runs and is ready unless this says otherwise. */
  readonly outcome?: (pod: Pod) => "ready" | "running" | "succeeded" | "failed" | "pending";
}

/** Plays the kubelets of all nodes over the real API: bound pods start at once, and what is being deleted ends at once. */
export function startFakeKubelet({ client, signal, clock = systemClock, outcome = () => "ready" }: FakeKubeletOptions) {
  let addresses = 0;
  const ended = new Set<string>();
  const informer = startInformer<Pod>(client, { apiVersion: "v1", kind: "Pod" }, { signal });
  const now = () => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
  const update = async (pod: Pod) => {
    if (!pod.spec.nodeName) return;
    if (pod.metadata.deletionTimestamp) {
      if (ended.has(pod.metadata.uid ?? "")) return;
      ended.add(pod.metadata.uid ?? "");
      await client.delete(refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid ?? "" } });
      return;
    }
    if (pod.status?.phase !== "Pending") return;
    const result = outcome(pod);
    if (result === "pending") return;
    const address = `10.244.${Math.floor(addresses / 250)}.${(addresses++ % 250) + 2}`;
    await client.patch(
      refOf(pod),
      "strategic",
      { status: statusOf(pod, result, address, now()) },
      { subresource: "status" },
    );
  };
  informer.onChange((pod) => {
    if (pod) void update(pod).catch(() => undefined);
  });
  return informer;
}

function statusOf(pod: Pod, result: "ready" | "running" | "succeeded" | "failed", podIP: string, now: string) {
  const ended = result === "succeeded" || result === "failed";
  const ready = result === "ready" ? "True" : "False";
  const terminated = { exitCode: result === "failed" ? 1 : 0, startedAt: now, finishedAt: now };
  return {
    phase: result === "succeeded" ? "Succeeded" : result === "failed" ? "Failed" : "Running",
    startTime: now,
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
      type,
      status: type === "Ready" || type === "ContainersReady" ? ready : "True",
      lastTransitionTime: now,
    })),
    containerStatuses: pod.spec.containers.map((container) => ({
      name: container.name,
      image: container.image ?? "",
      imageID: "",
      ready: result === "ready",
      restartCount: 0,
      state: ended ? { terminated } : { running: { startedAt: now } },
    })),
  };
}
