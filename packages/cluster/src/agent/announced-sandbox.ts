import type { NetworkObjects, Proxy, Sandbox } from "@dhow/node";

/** A sandbox whose pods have their policies in the kernel before their first packet. */
export function withAnnouncedAddresses(sandbox: Sandbox, proxy: Proxy, objects: Pick<NetworkObjects, "pods">): Sandbox {
  return {
    capabilities: sandbox.capabilities,
    close: () => sandbox.close(),
    async createPod(config) {
      const pod = await sandbox.createPod(config);
      const object = objects.pods.get(config.namespace, config.name);
      if (object?.metadata.uid === config.uid) await proxy.announce(object, pod.address);
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
