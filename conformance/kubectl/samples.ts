import type { Sketch } from "../fact.ts";
import { shell } from "../fact.ts";

/** Objects whose rows depend on the control plane alone: nothing of them is scheduled, started or measured. */
export function samples(namespace: string): Sketch[] {
  const nowhere = { nodeSelector: { "example.org/none": "such" }, containers: [shell("true")] };
  const template = { metadata: { labels: { app: "web" } }, spec: nowhere };
  const selector = { matchLabels: { app: "web" } };
  const of = (apiVersion: string, kind: string, name: string, rest: object = {}): Sketch => ({
    apiVersion,
    kind,
    metadata: { name, labels: { app: "web" } },
    ...rest,
  });
  const rbac = "rbac.authorization.k8s.io/v1";
  const backend = { service: { name: "web", port: { number: 80 } } };
  const job = { template: { spec: { restartPolicy: "Never", ...nowhere } } };
  return [
    // One entry of each: kubectl 1.32 describes them in the order of a Go map, which is another each time.
    of("v1", "ConfigMap", "settings", { data: { two: "line\nline\n" }, binaryData: { raw: "AP+A" } }),
    of("v1", "Secret", "hidden", { type: "Opaque", stringData: { password: "sesame" } }),
    of("v1", "ServiceAccount", "robot", { imagePullSecrets: [{ name: "hidden" }] }),
    of("v1", "Service", "web", {
      spec: {
        selector: { app: "web" },
        ports: [
          { name: "http", port: 80, targetPort: 8080 },
          { name: "dns", port: 53, protocol: "UDP" },
        ],
      },
    }),
    of("v1", "Service", "headless", { spec: { clusterIP: "None", selector: { app: "web" }, ports: [{ port: 80 }] } }),
    of("v1", "Service", "outer", {
      spec: {
        type: "NodePort",
        selector: { app: "none" },
        ports: [{ port: 80 }],
      },
    }),
    of("v1", "Service", "alias", { spec: { type: "ExternalName", externalName: "example.org" } }),
    of("v1", "Pod", "waiting", { spec: { ...nowhere, initContainers: [{ ...shell("true"), name: "before" }] } }),
    of("v1", "PersistentVolumeClaim", "data", {
      spec: { storageClassName: "none", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    }),
    of("v1", "ResourceQuota", "small", { spec: { hard: { "requests.storage": "5Gi", secrets: "10" } } }),
    of("v1", "LimitRange", "limits", {
      spec: { limits: [{ type: "Container", max: { memory: "1Gi" }, default: { memory: "128Mi" } }] },
    }),
    of("apps/v1", "Deployment", "web", { spec: { replicas: 0, selector, template } }),
    of("apps/v1", "StatefulSet", "db", { spec: { replicas: 0, serviceName: "headless", selector, template } }),
    of("apps/v1", "DaemonSet", "agent", { spec: { selector, template } }),
    of("batch/v1", "Job", "later", { spec: { suspend: true, ...job } }),
    of("batch/v1", "CronJob", "nightly", {
      spec: { suspend: true, schedule: "0 3 * * *", jobTemplate: { spec: job } },
    }),
    of("networking.k8s.io/v1", "Ingress", "web", {
      spec: {
        ingressClassName: "none",
        tls: [{ hosts: ["shop.example"], secretName: "tls" }],
        rules: [
          {
            host: "shop.example",
            http: {
              paths: [
                { path: "/", pathType: "Prefix", backend },
                { path: "/api", pathType: "Exact", backend },
              ],
            },
          },
        ],
      },
    }),
    of("networking.k8s.io/v1", "NetworkPolicy", "web", {
      spec: {
        podSelector: selector,
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          { from: [{ podSelector: selector }, { namespaceSelector: {} }], ports: [{ port: 80, protocol: "TCP" }] },
        ],
      },
    }),
    of("policy/v1", "PodDisruptionBudget", "web", {
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: "nobody" } } },
    }),
    of("autoscaling/v2", "HorizontalPodAutoscaler", "web", {
      spec: {
        minReplicas: 2,
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } },
        ],
      },
    }),
    of(rbac, "Role", "reader", {
      rules: [{ apiGroups: ["", "apps"], resources: ["pods", "deployments"], verbs: ["get", "list"] }],
    }),
    of(rbac, "RoleBinding", "robot-reads", {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [
        { kind: "ServiceAccount", name: "robot", namespace },
        { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "someone" },
      ],
    }),
    of("coordination.k8s.io/v1", "Lease", "leader", { spec: { holderIdentity: "me", leaseDurationSeconds: 15 } }),
    of("discovery.k8s.io/v1", "EndpointSlice", "web-own", {
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: ["192.0.2.7"], conditions: { ready: true } }],
    }),
  ];
}

/** The resources of the samples, as they are asked for, each with the name of its sample. */
export const sampled: readonly (readonly [resource: string, names: string])[] = [
  ["configmaps", "settings"],
  ["secrets", "hidden"],
  ["serviceaccounts", "robot"],
  ["services", "web headless outer alias"],
  ["pods", "waiting"],
  ["persistentvolumeclaims", "data"],
  ["resourcequotas", "small"],
  ["limitranges", "limits"],
  ["deployments", "web"],
  ["statefulsets", "db"],
  ["daemonsets", "agent"],
  ["jobs", "later"],
  ["cronjobs", "nightly"],
  ["ingresses", "web"],
  ["networkpolicies", "web"],
  ["poddisruptionbudgets", "web"],
  ["horizontalpodautoscalers", "web"],
  ["roles", "reader"],
  ["rolebindings", "robot-reads"],
  ["leases", "leader"],
  ["endpointslices", "web-own"],
];
