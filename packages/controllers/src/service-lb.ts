import { deepEqual, type Service } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { isDeleting, keyOf, nameOf, namespaceOf, splitKey } from "./objects.ts";

/** Gives Services of type LoadBalancer the address that the option names, in the place of a cloud. */
export const serviceLb: Controller = {
  name: "service-lb",
  start(manager) {
    const { loadBalancerAddress } = manager.options;
    if (!loadBalancerAddress) return;
    const services = manager.informer(kinds.service);
    const queue = manager.queue("service-lb", {
      reconcile: async (key) => {
        const { namespace, name } = splitKey(key);
        const service = services.get(namespace, name);
        if (!service || isDeleting(service) || service.spec?.loadBalancerClass) return;
        const address = loadBalancerAddress({ namespace: namespaceOf(service), name: nameOf(service) });
        const wanted =
          service.spec?.type === "LoadBalancer" && address ? [{ ip: address, ipMode: modeOf(address) }] : undefined;
        if (deepEqual(service.status?.loadBalancer?.ingress, wanted)) return;
        const { ingress: _, ...rest } = service.status?.loadBalancer ?? {};
        const loadBalancer = { ...rest, ...(wanted ? { ingress: wanted } : {}) };
        await manager.client.updateStatus<Service>({ ...service, status: { ...service.status, loadBalancer } });
      },
    });
    services.onChange((service) => {
      if (service) queue.add(keyOf(service));
    });
  },
};

/** What comes to a loopback address does not come to a node: a proxy takes it there (ipMode, KEP-1860). */
function modeOf(address: string): "Proxy" | "VIP" {
  return address.startsWith("127.") ? "Proxy" : "VIP";
}
