import type { KubeObject } from "@dhow/kube";

/** An object to be shown, and the status that it is to have. */
export interface Sample {
  readonly object: KubeObject;
  readonly status?: Record<string, unknown>;
}

const minutes = (count: number) => `${new Date(Date.now() - count * 60_000).toISOString().slice(0, 19)}Z`;
const template = {
  metadata: { labels: { app: "a" } },
  spec: {
    containers: [
      { name: "a", image: "a:1" },
      { name: "b", image: "b:2" },
    ],
  },
};
const jobTemplate = { spec: { ...template.spec, restartPolicy: "Never" } };
const selector = { matchLabels: { app: "a" }, matchExpressions: [{ key: "tier", operator: "In", values: ["y", "x"] }] };
const labelled = { ...template, metadata: { labels: { app: "a", tier: "x" } } };
const port = (number: number, more: object = {}) => ({ name: `p${number}`, port: number, ...more });
const backend = { service: { name: "s", port: { number: 80 } } };
const rule = (host?: string) => ({
  ...(host ? { host } : {}),
  http: { paths: [{ path: "/", pathType: "Prefix", backend }] },
});

function object(
  apiVersion: string,
  kind: string,
  name: string,
  fields: object = {},
  metadata: object = {},
): KubeObject {
  return { apiVersion, kind, metadata: { name, ...metadata }, ...fields };
}

function pod(name: string, status: Record<string, unknown>, spec: object = {}, metadata: object = {}): Sample {
  const whole = { containers: [{ name: "a", image: "a" }], ...spec };
  return { object: object("v1", "Pod", name, { spec: whole }, metadata), status };
}

const container = (name: string, more: object) => ({
  name,
  image: "a",
  imageID: "",
  ready: false,
  restartCount: 0,
  ...more,
});
const running = { state: { running: { startedAt: minutes(5) } }, ready: true, started: true };
const ended = (exitCode: number, reason?: string, signal?: number) => ({
  state: {
    terminated: {
      exitCode,
      ...(reason ? { reason } : {}),
      ...(signal ? { signal } : {}),
      startedAt: minutes(9),
      finishedAt: minutes(7),
    },
  },
});
const before = { lastState: { terminated: { exitCode: 1, startedAt: minutes(300), finishedAt: minutes(200) } } };
const waiting = (reason: string) => ({ state: { waiting: { reason } } });
const condition = (type: string, status = "True", reason?: string) => ({ type, status, ...(reason ? { reason } : {}) });
const two = {
  containers: [
    { name: "a", image: "a" },
    { name: "b", image: "b" },
  ],
};
const init = {
  initContainers: [
    { name: "i", image: "i" },
    { name: "s", image: "s", restartPolicy: "Always" },
  ],
};

const pods: Sample[] = [
  pod("pending", { phase: "Pending" }),
  pod("running", {
    phase: "Running",
    podIPs: [{ ip: "10.1.2.3" }],
    podIP: "10.1.2.3",
    containerStatuses: [container("a", { ...running, ...before, restartCount: 3 })],
  }),
  pod("restarted-without-a-time", {
    phase: "Running",
    containerStatuses: [container("a", { ...running, restartCount: 2 })],
  }),
  pod("creating", { phase: "Pending", containerStatuses: [container("a", waiting("ContainerCreating"))] }),
  pod("crash-loop", {
    phase: "Running",
    containerStatuses: [container("a", { ...waiting("CrashLoopBackOff"), ...before, restartCount: 7 })],
  }),
  pod("completed", { phase: "Succeeded", containerStatuses: [container("a", ended(0, "Completed"))] }),
  pod("error", { phase: "Failed", containerStatuses: [container("a", ended(1, "Error"))] }),
  pod("exit-code", { phase: "Failed", containerStatuses: [container("a", ended(3))] }),
  pod("signal", { phase: "Failed", containerStatuses: [container("a", ended(137, undefined, 9))] }),
  pod("evicted", { phase: "Failed", reason: "Evicted" }),
  pod(
    "half-completed",
    {
      phase: "Running",
      conditions: [condition("Ready", "False")],
      containerStatuses: [container("a", ended(0, "Completed")), container("b", running)],
    },
    two,
  ),
  pod(
    "half-completed-ready",
    {
      phase: "Running",
      conditions: [condition("Ready")],
      containerStatuses: [container("a", ended(0, "Completed")), container("b", running)],
    },
    two,
  ),
  pod(
    "half-failed",
    { phase: "Running", containerStatuses: [container("a", ended(0, "Completed")), container("b", ended(1, "Error"))] },
    two,
  ),
  pod(
    "init-waiting",
    {
      phase: "Pending",
      initContainerStatuses: [container("i", waiting("PodInitializing")), container("s", waiting("PodInitializing"))],
    },
    init,
  ),
  pod(
    "init-running",
    { phase: "Pending", initContainerStatuses: [container("i", { state: { running: { startedAt: minutes(1) } } })] },
    init,
  ),
  pod("init-image", { phase: "Pending", initContainerStatuses: [container("i", waiting("ImagePullBackOff"))] }, init),
  pod(
    "init-error",
    { phase: "Pending", initContainerStatuses: [container("i", { ...ended(1, "Error"), restartCount: 2, ...before })] },
    init,
  ),
  pod("init-exit-code", { phase: "Pending", initContainerStatuses: [container("i", ended(4))] }, init),
  pod("init-signal", { phase: "Pending", initContainerStatuses: [container("i", ended(137, undefined, 9))] }, init),
  pod(
    "sidecar",
    {
      phase: "Running",
      conditions: [condition("Initialized")],
      initContainerStatuses: [
        container("i", { ...ended(0, "Completed"), restartCount: 5 }),
        container("s", { ...running, ...before, restartCount: 1 }),
      ],
      containerStatuses: [container("a", { ...running, restartCount: 1 })],
    },
    init,
  ),
  pod(
    "sidecar-only",
    {
      phase: "Pending",
      initContainerStatuses: [
        container("i", ended(0, "Completed")),
        container("s", { ...waiting("CrashLoopBackOff"), restartCount: 4 }),
      ],
    },
    init,
  ),
  pod(
    "initialized-with-a-failing-sidecar",
    {
      phase: "Running",
      conditions: [condition("Initialized")],
      initContainerStatuses: [container("i", ended(0, "Completed")), container("s", waiting("CrashLoopBackOff"))],
      containerStatuses: [container("a", { state: { running: { startedAt: minutes(1) } } })],
    },
    init,
  ),
  pod(
    "gated",
    { phase: "Pending", conditions: [condition("PodScheduled", "False", "SchedulingGated")] },
    { schedulingGates: [{ name: "a.b/c" }] },
  ),
  pod(
    "readiness-gates",
    { phase: "Running", conditions: [condition("a.b/one"), condition("a.b/two", "False")] },
    { readinessGates: [{ conditionType: "a.b/one" }, { conditionType: "a.b/two" }, { conditionType: "a.b/three" }] },
  ),
  pod("nominated", { phase: "Pending", nominatedNodeName: "n1" }),
];

const workloads: Sample[] = [
  {
    object: object("apps/v1", "Deployment", "d", { spec: { replicas: 0, paused: true, selector, template: labelled } }),
  },
  { object: object("apps/v1", "ReplicaSet", "r", { spec: { replicas: 0, selector, template: labelled } }) },
  {
    object: object("apps/v1", "StatefulSet", "s", {
      spec: { replicas: 0, serviceName: "s", selector, template: labelled },
    }),
  },
  {
    object: object("apps/v1", "DaemonSet", "d", {
      spec: {
        selector: { matchLabels: { app: "a" } },
        template: { ...template, spec: { ...template.spec, nodeSelector: { z: "1", a: "2" } } },
      },
    }),
  },
  { object: object("apps/v1", "ControllerRevision", "c", { revision: 3, data: {} }) },
  { object: object("v1", "ReplicationController", "r", { spec: { replicas: 0, selector: { app: "a" }, template } }) },
  { object: object("v1", "PodTemplate", "p", { template }) },
  { object: object("batch/v1", "Job", "one", { spec: { suspend: true, template: jobTemplate } }) },
  {
    object: object("batch/v1", "Job", "many", {
      spec: { suspend: true, completions: 4, parallelism: 2, template: jobTemplate },
    }),
  },
  { object: object("batch/v1", "Job", "queue", { spec: { suspend: true, parallelism: 3, template: jobTemplate } }) },
  {
    object: object("batch/v1", "CronJob", "c", {
      spec: {
        schedule: "0 1 * * *",
        suspend: true,
        timeZone: "Etc/UTC",
        jobTemplate: { spec: { template: jobTemplate } },
      },
    }),
  },
  {
    object: object("batch/v1", "CronJob", "without-a-zone", {
      spec: { schedule: "0 1 1 1 *", jobTemplate: { spec: { template: jobTemplate } } },
    }),
  },
];

const networking: Sample[] = [
  {
    object: object("v1", "Service", "cluster-ip", {
      spec: { selector: { b: "1", a: "2" }, ports: [port(80), port(53, { protocol: "UDP" })] },
    }),
  },
  { object: object("v1", "Service", "headless", { spec: { clusterIP: "None" } }) },
  {
    object: object("v1", "Service", "node-port", {
      spec: { type: "NodePort", externalIPs: ["192.0.2.1", "192.0.2.2"], ports: [port(80)] },
    }),
  },
  { object: object("v1", "Service", "balancer-pending", { spec: { type: "LoadBalancer", ports: [port(80)] } }) },
  {
    object: object("v1", "Service", "balancer", {
      spec: { type: "LoadBalancer", externalIPs: ["192.0.2.9"], ports: [port(443)] },
    }),
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.5" }, { hostname: "a.example.org" }, { ip: "192.0.2.4" }] } },
  },
  {
    object: object("v1", "Service", "external-name", { spec: { type: "ExternalName", externalName: "a.example.org" } }),
  },
  { object: object("v1", "Endpoints", "none") },
  {
    object: object("v1", "Endpoints", "many", {
      subsets: [
        {
          addresses: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }],
          ports: [
            { name: "a", port: 80 },
            { name: "b", port: 443 },
          ],
        },
        { addresses: [{ ip: "10.0.0.3" }] },
      ],
    }),
  },
  {
    object: object("v1", "Endpoints", "not-ready", {
      subsets: [{ notReadyAddresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }],
    }),
  },
  { object: object("discovery.k8s.io/v1", "EndpointSlice", "none", { addressType: "IPv4", endpoints: [], ports: [] }) },
  {
    object: object("discovery.k8s.io/v1", "EndpointSlice", "many", {
      addressType: "IPv4",
      endpoints: [1, 2, 3, 4, 5].map((at) => ({ addresses: [`10.0.0.${at}`] })),
      ports: [{ name: "a", port: 80 }, { name: "b" }],
    }),
  },
  { object: object("networking.k8s.io/v1", "Ingress", "default", { spec: { defaultBackend: backend } }) },
  {
    object: object("networking.k8s.io/v1", "Ingress", "hosts", {
      spec: {
        ingressClassName: "nginx",
        rules: [rule("a.b"), rule(), rule("c.d"), rule("e.f"), rule("g.h")],
        tls: [{ hosts: ["a.b"] }],
      },
    }),
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.5" }, { hostname: "lb.example.org" }] } },
  },
  { object: object("networking.k8s.io/v1", "NetworkPolicy", "all", { spec: { podSelector: {} } }) },
  { object: object("networking.k8s.io/v1", "NetworkPolicy", "some", { spec: { podSelector: selector } }) },
];

const target = (type: string, value: object) => ({ type, ...value });
const scaled = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "none" }, maxReplicas: 5 };
const resource = (name: string, value: object) => ({ type: "Resource", resource: { name, target: value } });

const policies: Sample[] = [
  { object: object("policy/v1", "PodDisruptionBudget", "min", { spec: { minAvailable: "50%", selector } }) },
  { object: object("policy/v1", "PodDisruptionBudget", "max", { spec: { maxUnavailable: 1, selector } }) },
  {
    object: object("autoscaling/v2", "HorizontalPodAutoscaler", "metrics", {
      spec: {
        ...scaled,
        minReplicas: 2,
        metrics: [
          resource("cpu", target("Utilization", { averageUtilization: 80 })),
          resource("memory", target("AverageValue", { averageValue: "1Gi" })),
          { type: "Pods", pods: { metric: { name: "rps" }, target: target("AverageValue", { averageValue: "100" }) } },
        ],
      },
    }),
    status: {
      currentReplicas: 3,
      desiredReplicas: 3,
      currentMetrics: [
        { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 42, averageValue: "1" } } },
      ],
    },
  },
  {
    object: object("autoscaling/v2", "HorizontalPodAutoscaler", "external", {
      spec: {
        ...scaled,
        metrics: [
          {
            type: "External",
            external: { metric: { name: "q" }, target: target("AverageValue", { averageValue: "30" }) },
          },
          {
            type: "Object",
            object: {
              metric: { name: "o" },
              describedObject: { kind: "Service", name: "s" },
              target: target("Value", { value: "2k" }),
            },
          },
        ],
      },
    }),
  },
  {
    object: object("autoscaling/v1", "HorizontalPodAutoscaler", "one", {
      spec: { ...scaled, targetCPUUtilizationPercentage: 70 },
    }),
  },
  {
    object: object("v1", "ResourceQuota", "q", {
      spec: { hard: { pods: "10", "limits.cpu": "4", "requests.cpu": "2", "limits.memory": "4Gi", services: "5" } },
    }),
  },
  { object: object("v1", "LimitRange", "l", { spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } }) },
];

const configuration: Sample[] = [
  { object: object("v1", "ConfigMap", "c", { data: { a: "1", b: "2" }, binaryData: { c: "MQ==" } }) },
  { object: object("v1", "Secret", "s", { stringData: { a: "1" } }) },
  {
    object: object("v1", "Secret", "tls", {
      type: "kubernetes.io/tls",
      data: { "tls.crt": "MQ==", "tls.key": "MQ==" },
    }),
  },
  { object: object("v1", "ServiceAccount", "s") },
  {
    object: object("v1", "PersistentVolumeClaim", "p", {
      spec: {
        accessModes: ["ReadWriteMany", "ReadWriteOnce"],
        storageClassName: "none",
        resources: { requests: { storage: "1Gi" } },
      },
    }),
  },
  { object: object("coordination.k8s.io/v1", "Lease", "l", { spec: { holderIdentity: "me" } }) },
  { object: object("rbac.authorization.k8s.io/v1", "Role", "r", { rules: [] }) },
  {
    object: object("rbac.authorization.k8s.io/v1", "RoleBinding", "r", {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
      subjects: [
        { kind: "User", name: "u1", apiGroup: "rbac.authorization.k8s.io" },
        { kind: "User", name: "u2", apiGroup: "rbac.authorization.k8s.io" },
        { kind: "Group", name: "g", apiGroup: "rbac.authorization.k8s.io" },
        { kind: "ServiceAccount", name: "a", namespace: "n" },
      ],
    }),
  },
  {
    object: object("v1", "Event", "e", {
      involvedObject: { kind: "Pod", name: "p", fieldPath: "spec.containers{a}" },
      type: "Warning",
      reason: "BackOff",
      message: " back-off \n",
      count: 5,
      firstTimestamp: minutes(90),
      lastTimestamp: minutes(3),
      source: { component: "kubelet", host: "n1" },
    }),
  },
  { object: object("v1", "Event", "without-much", { involvedObject: { kind: "Node" } }) },
  {
    object: object("events.k8s.io/v1", "Event", "new", {
      eventTime: `${minutes(4).slice(0, 19)}.000000Z`,
      regarding: { kind: "Pod", name: "p", namespace: "default" },
      type: "Normal",
      reason: "Pulled",
      action: "Pull",
      note: "image",
      reportingController: "a.b/c",
      reportingInstance: "c-1",
      series: { count: 9, lastObservedTime: `${minutes(2).slice(0, 19)}.000000Z` },
    }),
  },
];

/** Objects of all kinds that a namespace can hold, in the states that have words of their own. */
export const namespacedSamples: readonly Sample[] = [
  ...pods,
  ...workloads,
  ...networking,
  ...policies,
  ...configuration,
];

const marked = (annotation: string) => ({ annotations: { [annotation]: "true" } });

/** Their names get a suffix: the cluster is not ours alone. */
export const clusterSamples: readonly Sample[] = [
  {
    object: object(
      "v1",
      "Node",
      "node",
      { spec: { unschedulable: true } },
      {
        labels: {
          "node-role.kubernetes.io/worker": "",
          "node-role.kubernetes.io/control-plane": "",
          "kubernetes.io/role": "old",
        },
      },
    ),
    status: {
      conditions: [condition("Ready")],
      addresses: [
        { type: "InternalIP", address: "10.0.0.1" },
        { type: "ExternalIP", address: "192.0.2.1" },
      ],
      nodeInfo: {
        architecture: "amd64",
        kernelVersion: "6.1",
        osImage: "Debian",
        containerRuntimeVersion: "c://1",
        kubeletVersion: "v1.36.0",
        bootID: "",
        kubeProxyVersion: "",
        machineID: "",
        operatingSystem: "linux",
        systemUUID: "",
      },
    },
  },
  {
    object: object("v1", "PersistentVolume", "volume", {
      spec: {
        capacity: { storage: "5Gi" },
        accessModes: ["ReadWriteOnce", "ReadOnlyMany"],
        hostPath: { path: "/nowhere" },
        storageClassName: "none",
      },
    }),
  },
  {
    object: object("storage.k8s.io/v1", "StorageClass", "class", {
      provisioner: "a.b/c",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
      reclaimPolicy: "Retain",
    }),
  },
  {
    object: object(
      "networking.k8s.io/v1",
      "IngressClass",
      "class",
      { spec: { controller: "a.b/c", parameters: { apiGroup: "a.b", kind: "P", name: "n" } } },
      marked("none.example.org/x"),
    ),
  },
  { object: object("scheduling.k8s.io/v1", "PriorityClass", "priority", { value: 5 }) },
  { object: object("node.k8s.io/v1", "RuntimeClass", "runtime", { handler: "h" }) },
];
