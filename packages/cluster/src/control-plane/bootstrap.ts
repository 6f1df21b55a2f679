import { type KubeClient, type KubeObject, refOf } from "@dhow/kube";

/** Who the agent is to the API server. */
export const agentUser = { name: "system:dhow:agent", groups: ["system:dhow:agents", "system:authenticated"] };

const read = ["get", "list", "watch"];

/** Everything that kubelets, service rules, DNS and ingress of this cluster do, and nothing else. */
const agentRules = [
  { apiGroups: [""], resources: ["nodes"], verbs: [...read, "create", "update", "patch"] },
  { apiGroups: [""], resources: ["nodes/status"], verbs: ["update", "patch"] },
  { apiGroups: [""], resources: ["pods"], verbs: [...read, "delete"] },
  { apiGroups: [""], resources: ["pods/status"], verbs: ["update", "patch"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create", "update", "patch"] },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "update", "patch"] },
  { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
  {
    apiGroups: [""],
    resources: [
      "services",
      "endpoints",
      "namespaces",
      "configmaps",
      "secrets",
      "serviceaccounts",
      "persistentvolumes",
      "persistentvolumeclaims",
    ],
    verbs: read,
  },
  { apiGroups: [""], resources: ["services/status"], verbs: ["update", "patch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingressclasses", "networkpolicies"], verbs: read },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses/status"], verbs: ["update", "patch"] },
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: [...read, "create", "update", "patch"] },
];

/** What this cluster has from the start beyond what every Kubernetes has. */
const objects: readonly KubeObject[] = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "dhow-agent" },
    rules: agentRules,
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "dhow-agent" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "dhow-agent" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: agentUser.name }],
  },
  {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "dhow.dev/local",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "nginx", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
    spec: { controller: "k8s.io/ingress-nginx" },
  },
];

/** Creates what is not there; what somebody changed stays changed. */
export async function bootstrapObjects(client: KubeClient): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      if (!(await client.find(refOf(object)))) await client.create(object);
    }),
  );
}
