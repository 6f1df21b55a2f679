import type { Pod } from "@dhow/kube";
import type { NetworkObjects, PodConfig, Proxy, Sandbox } from "@dhow/node";

/** How long the watch that policies stand on may lag behind the kubelet's (milliseconds). */
const lag = 2_000;

/** A sandbox whose pods have their policies in the kernel before their first packet. */
export function withAnnouncedAddresses(sandbox: Sandbox, proxy: Proxy, objects: Pick<NetworkObjects, "pods">): Sandbox {
  return {
    capabilities: sandbox.capabilities,
    close: () => sandbox.close(),
    async createPod(config) {
      const [pod, object] = await Promise.all([sandbox.createPod(config), seen(objects.pods, config)]);
      if (object) await proxy.announce(object, pod.address);
      return {
        address: pod.address,
        start: (container) => pod.start(container),
        connect: (port) => pod.connect(port),
        async remove() {
          proxy.withdraw(config.uid);
          await pod.remove();
        },
      };
    },
  };
}

/** The pod's object, as soon as it is known; undefined where it is gone again. */
function seen(pods: NetworkObjects["pods"], { namespace, name, uid }: PodConfig): Promise<Pod | undefined> {
  const find = () => {
    const pod = pods.get(namespace, name);
    return pod?.metadata.uid === uid ? pod : undefined;
  };
  const known = find();
  if (known) return Promise.resolve(known);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      resolve(find());
    };
    const timer = setTimeout(done, lag);
    const stop = pods.onChange((pod) => {
      if (pod?.metadata.uid === uid) done();
    });
  });
}
