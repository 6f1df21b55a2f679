import { type ConfigMap, isStatusError, type Namespace } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { isDeleting, nameOf, namespaceOf } from "./objects.ts";

const configMapName = "kube-root-ca.crt";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Publishes the cluster's CA in every namespace, for pods to mount. */
export const rootCa: Controller = {
  name: "root-ca-certificate-publisher",
  start(manager) {
    const certificate = manager.options.rootCertificateAuthority;
    if (certificate === undefined) return;
    const namespaces = manager.informer(kinds.namespace);
    const configMaps = manager.informer(kinds.configMap);
    const queue = manager.queue("root-ca-certificate-publisher", {
      reconcile: async (name) => {
        const namespace = namespaces.get(undefined, name);
        if (!namespace || isDeleting(namespace)) return;
        const existing = configMaps.get(name, configMapName);
        const wanted: ConfigMap = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: {
            ...existing?.metadata,
            name: configMapName,
            namespace: name,
            annotations: { ...existing?.metadata.annotations, "kubernetes.io/description": description },
          },
          data: { "ca.crt": certificate },
        };
        if (existing && existing.data?.["ca.crt"] === certificate) return;
        try {
          await (existing ? manager.client.update(wanted) : manager.client.create(wanted));
        } catch (error) {
          if (!isStatusError(error, "AlreadyExists")) throw error;
        }
      },
    });
    namespaces.onChange((namespace, old) => queue.add(nameOf((namespace ?? old) as Namespace)));
    configMaps.onChange((configMap, old) => {
      const changed = (configMap ?? old) as ConfigMap;
      if (nameOf(changed) === configMapName) queue.add(namespaceOf(changed));
    });
  },
};
