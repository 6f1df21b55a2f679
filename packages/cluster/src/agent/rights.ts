import type { ClusterRole, ClusterRoleBinding, IngressClass, KubeObject, PolicyRule, Subject } from "@dhow/kube";

const read = ["get", "list", "watch"];

/** Everything that kubelets, service rules, DNS and ingress do, and nothing else. */
const rules: readonly PolicyRule[] = [
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

/** Where kubelets answer over the network they ask the API server about whoever calls them (the role system:auth-delegator). */
const reviews: readonly PolicyRule[] = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
];

const rbac = "rbac.authorization.k8s.io";

/** The agent's role in its own cluster, bound to who it is there. */
export function agentRole(subject: Subject, allowed = rules): readonly [ClusterRole, ClusterRoleBinding] {
  return [
    { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name: "dhow-agent" }, rules: [...allowed] },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: "dhow-agent" },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "dhow-agent" },
      subjects: [subject],
    },
  ];
}

/** The class of Ingresses that the agent serves. */
export const ingressClass: IngressClass = {
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name: "nginx", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
  spec: { controller: "k8s.io/ingress-nginx" },
};

/** What an administrator applies to a cluster before `joinCluster`: the rights of whom the agent's kubeconfig names, and the class of its ingress. */
export function joinObjects(subject: Subject): readonly KubeObject[] {
  return [...agentRole(subject, [...rules, ...reviews]), ingressClass];
}
