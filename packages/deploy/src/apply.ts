import { type KubeClient, type KubeObject, refOf } from "@dhow/kube";
import { withGeneratedEntries } from "./secrets.ts";

/** By this name the API server knows which fields are ours. */
export const fieldManager = "dhow";

/** Kinds that hold what others are put into: they are there before the rest is sent. */
const first = new Set([
  "Namespace",
  "ResourceQuota",
  "LimitRange",
  "ServiceAccount",
  "Secret",
  "PersistentVolumeClaim",
  "ConfigMap",
]);

/**
 * Brings the objects into the cluster by server-side apply: what somebody else set and we do not name stays. Objects that bear our
 * label and are no longer described are deleted, claims aside, as those hold data. Throws what the server refuses, a StatusError.
 */
export async function applyObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  namespace: string,
): Promise<void> {
  const apply = async (object: KubeObject): Promise<void> => {
    await client.apply(await withGeneratedEntries(client, object), { fieldManager, force: true });
  };
  for (const object of objects.filter((each) => each.kind === "Namespace")) await apply(object);
  await Promise.all(objects.filter((each) => first.has(each.kind) && each.kind !== "Namespace").map(apply));
  await Promise.all(objects.filter((each) => !first.has(each.kind)).map(apply));
  await prune(client, objects, namespace);
}

const prunable = [
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "v1", kind: "Secret" },
  { apiVersion: "v1", kind: "ServiceAccount" },
];

async function prune(client: KubeClient, objects: readonly KubeObject[], namespace: string): Promise<void> {
  const described = new Set(objects.map((object) => `${object.kind}/${object.metadata.name}`));
  await Promise.all(
    prunable.map(async (kind) => {
      const { items } = await client.list(
        { ...kind, namespace },
        { labelSelector: "app.kubernetes.io/managed-by=dhow" },
      );
      for (const item of items)
        if (!described.has(`${item.kind}/${item.metadata.name}`))
          await client.delete(refOf(item), { propagationPolicy: "Background" });
    }),
  );
}
