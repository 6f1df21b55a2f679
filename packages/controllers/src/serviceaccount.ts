import { isStatusError, type Namespace, type ServiceAccount } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { isDeleting, nameOf, namespaceOf } from "./objects.ts";

/** Gives every namespace its ServiceAccount `default`. */
export const serviceaccount: Controller = {
  name: "serviceaccount",
  start(manager) {
    const namespaces = manager.informer(kinds.namespace);
    const accounts = manager.informer(kinds.serviceAccount);
    const queue = manager.queue("serviceaccount", {
      reconcile: async (name) => {
        const namespace = namespaces.get(undefined, name);
        if (!namespace || isDeleting(namespace) || accounts.get(name, "default")) return;
        const account: ServiceAccount = {
          apiVersion: "v1",
          kind: "ServiceAccount",
          metadata: { name: "default", namespace: name },
        };
        try {
          await manager.client.create(account);
        } catch (error) {
          if (!isStatusError(error, "AlreadyExists")) throw error;
        }
      },
    });
    namespaces.onChange((namespace, old) => queue.add(nameOf((namespace ?? old) as Namespace)));
    accounts.onChange((account, old) => {
      if (!account && old) queue.add(namespaceOf(old));
    });
  },
};
