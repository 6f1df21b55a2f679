import type { Pod } from "@dhow/kube";
import type { PodConfig, PodSandbox, Sandbox } from "../sandbox/sandbox.ts";
import type { Collection } from "./objects.ts";
import type { Proxy } from "./proxy.ts";

/**
 * The same sandbox, whose pods the network knows before their first container starts: who may reach a pod is settled when it first
 * speaks, and it is nobody's stranger.
 */
export function announcingSandbox(sandbox: Sandbox, proxy: Proxy, pods: Collection<Pod>): Sandbox {
  return {
    capabilities: sandbox.capabilities,
    close: () => sandbox.close(),
    async createPod(config) {
      const pod = await sandbox.createPod(config);
      await proxy.announce(await known(pods, config), pod.address);
      return withdrawing(pod, () => proxy.withdraw(config.uid));
    },
  };
}

/** The kubelet hears of a pod over a watch of its own, which may be ahead of this one by a moment. */
async function known(pods: Collection<Pod>, { namespace, name, uid }: PodConfig): Promise<Pod> {
  const bare: Pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace, name, uid }, spec: { containers: [] } };
  return await new Promise((resolve) => {
    let stop = () => {};
    const end = setTimeout(() => finish(bare), 1000);
    const finish = (pod: Pod) => {
      clearTimeout(end);
      queueMicrotask(() => stop());
      resolve(pod);
    };
    stop = pods.onChange((pod) => {
      if (pod?.metadata.uid === uid) finish(pod);
    });
  });
}

function withdrawing(pod: PodSandbox, removed: () => void): PodSandbox {
  return {
    address: pod.address,
    start: (config) => pod.start(config),
    connect: (port) => pod.connect(port),
    async remove() {
      await pod.remove();
      removed();
    },
  };
}
