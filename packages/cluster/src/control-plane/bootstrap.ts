import { type KubeClient, type KubeObject, refOf } from "@dhow/kube";
import { agentRole, ingressClass } from "../agent/rights.ts";

/** Who the agent is to the API server. */
export const agentUser = { name: "system:dhow:agent", groups: ["system:dhow:agents", "system:authenticated"] };

/** What this cluster has from the start beyond what every Kubernetes has. */
const objects: readonly KubeObject[] = [
  ...agentRole({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: agentUser.name }),
  {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "dhow.dev/local",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  },
  ingressClass,
];

/** Creates what is not there; what somebody changed stays changed. */
export async function bootstrapObjects(client: KubeClient): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      if (!(await client.find(refOf(object)))) await client.create(object);
    }),
  );
}
