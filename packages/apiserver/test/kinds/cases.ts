import type { KubeObject } from "@dhow/kube";

type Wish = Record<string, unknown>;

/** One write that is sent to a server: a POST of `object`, or, where there is an `update`, a PUT of that after it. */
export interface Case {
  readonly name: string;
  readonly object: KubeObject;
  /** Not only tried: where a dry run looks at less. */
  readonly stored?: boolean;
  readonly update?: (object: KubeObject) => KubeObject;
}

export const namespace = "golden";

const cases: Case[] = [];

function add(name: string, apiVersion: string, kind: string, fields: Wish, metadata: Wish = {}): void {
  const object = { apiVersion, kind, metadata: { name: "x", ...metadata }, ...fields } as KubeObject;
  cases.push({ name: `${kind}: ${name}`, object, stored: /out of range|is taken/.test(name) });
}

function update(
  name: string,
  apiVersion: string,
  kind: string,
  fields: Wish,
  change: (object: Wish) => void,
  metadata: Wish = {},
): void {
  const object = { apiVersion, kind, metadata: { name: "x", ...metadata }, ...fields } as KubeObject;
  cases.push({
    name: `${kind} updated: ${name}`,
    object,
    update(stored) {
      const copy = structuredClone(stored) as unknown as Wish;
      change(copy);
      return copy as unknown as KubeObject;
    },
  });
}

const container = (more: Wish = {}) => ({ name: "c", image: "nginx:1.27", ...more });
const pod = (name: string, spec: Wish, metadata: Wish = {}) =>
  add(name, "v1", "Pod", { spec: { containers: [container()], ...spec } }, metadata);
const podWith = (name: string, more: Wish, spec: Wish = {}) => pod(name, { containers: [container(more)], ...spec });

// Metadata
for (const [name, metadata] of Object.entries({
  "no name": { name: undefined },
  "name in capitals": { name: "Web" },
  "name too long": { name: "a".repeat(260) },
  "generateName is wrong": { name: undefined, generateName: "Web-" },
  "labels are wrong": { labels: { "a b": "c", ok: "-x", "/x": "1", "UP.io/x": "y" } },
  "label value too long": { labels: { app: "x".repeat(64) } },
  "annotations are wrong": { annotations: { "a b": "c" } },
  "annotations too long": { annotations: { a: "x".repeat(262_145) } },
  "owner without uid": { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "a", uid: "" }] },
  "two controllers": {
    ownerReferences: ["a", "b"].map((uid) => ({ apiVersion: "v1", kind: "Pod", name: uid, uid, controller: true })),
  },
  "finalizer is wrong": { finalizers: ["a b"] },
  "finalizers at odds": { finalizers: ["orphan", "foregroundDeletion"] },
}) as [string, Wish][]) {
  add(name, "v1", "ConfigMap", {}, metadata);
}

// ConfigMap, Secret
add("minimal", "v1", "ConfigMap", { data: { a: "1" } });
add("wrong keys", "v1", "ConfigMap", { data: { "a b": "1", "..": "2", x: "3" }, binaryData: { x: "AA==" } });
add("too large", "v1", "ConfigMap", { data: { a: "x".repeat(1_048_577) } });
update("immutable", "v1", "ConfigMap", { data: { a: "1" }, immutable: true }, (object) => {
  object["data"] = { a: "2" };
  delete object["immutable"];
});
add("minimal", "v1", "Secret", { stringData: { a: "1" } });
add("stringData wins", "v1", "Secret", { data: { a: "AA==" }, stringData: { a: "1" } });
add("tls without keys", "v1", "Secret", { type: "kubernetes.io/tls" });
add("basic auth without keys", "v1", "Secret", { type: "kubernetes.io/basic-auth" });
add("ssh without a key", "v1", "Secret", { type: "kubernetes.io/ssh-auth" });
add("docker config is no JSON", "v1", "Secret", {
  type: "kubernetes.io/dockerconfigjson",
  data: { ".dockerconfigjson": "eA==" },
});
add("token without an account", "v1", "Secret", { type: "kubernetes.io/service-account-token" });
add("wrong key", "v1", "Secret", { data: { "a/b": "AA==" } });
update("another type", "v1", "Secret", { stringData: { a: "1" } }, (object) => void (object["type"] = "x/y"));
update("immutable", "v1", "Secret", { data: { a: "AA==" }, immutable: true }, (object) => void (object["data"] = {}));

// Namespace, ServiceAccount
add("minimal", "v1", "Namespace", {}, { name: "golden-other" });
add("wrong name", "v1", "Namespace", {}, { name: "a.b" });
add(
  "wrong pod security",
  "v1",
  "Namespace",
  {},
  {
    name: "golden-x",
    labels: { "pod-security.kubernetes.io/enforce": "strict", "pod-security.kubernetes.io/warn-version": "1.2" },
  },
);
add("minimal", "v1", "ServiceAccount", {});

// Pod: defaults
pod("minimal", {});
pod("no containers", { containers: [] });
podWith("latest", { image: "nginx" });
podWith("digest", { image: `nginx@sha256:${"a".repeat(64)}` });
podWith("port in a registry's name", { image: "localhost:5000/nginx" });
podWith("limits become requests", { resources: { limits: { cpu: "0.5", memory: "1024Mi" } } });
podWith("guaranteed", {
  resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1000m", memory: "1Gi" } },
});
podWith("probes", {
  livenessProbe: { httpGet: { port: 80 } },
  readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 3 },
  startupProbe: { exec: { command: ["true"] }, initialDelaySeconds: 0 },
  ports: [{ containerPort: 80, name: "http" }],
  lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { httpGet: { port: 80, path: "/a" } } },
});
podWith("environment", {
  env: [
    { name: "A", value: "1" },
    { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
    { name: "D", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    { name: "E", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
  ],
  envFrom: [{ configMapRef: { name: "m" } }],
});
pod("volumes", {
  volumes: [
    { name: "a" },
    { name: "b", configMap: { name: "m" } },
    { name: "d", secret: { secretName: "s", items: [{ key: "k", path: "p" }] } },
    { name: "e", hostPath: { path: "/x" } },
    { name: "f", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    { name: "g", projected: { sources: [{ secret: { name: "s" } }, { serviceAccountToken: { path: "t" } }] } },
    { name: "h", persistentVolumeClaim: { claimName: "c" } },
    {
      name: "i",
      ephemeral: {
        volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
      },
    },
  ],
  containers: [container({ volumeMounts: [{ name: "a", mountPath: "/a" }] })],
});
pod("host network", { hostNetwork: true, containers: [container({ ports: [{ containerPort: 80 }] })] });
pod("tolerations stay", { tolerations: [{ operator: "Exists" }] });
pod("no token", { automountServiceAccountToken: false });
pod("gated", { schedulingGates: [{ name: "a/b" }] });
pod("init and sidecar", {
  initContainers: [container({ name: "i" }), container({ name: "s", restartPolicy: "Always" })],
});
pod("deprecated account", { serviceAccount: "default" });

// Pod: faults
podWith("no name", { name: undefined });
podWith("wrong name", { name: "C_x" });
podWith("no image", { image: undefined });
podWith("image with blanks", { image: " nginx " });
pod("two of a name", { containers: [container(), container()] });
pod("init of the same name", { initContainers: [container()] });
podWith("wrong pull policy", { imagePullPolicy: "Sometimes" });
podWith("wrong termination policy", { terminationMessagePolicy: "Log" });
podWith("wrong ports", {
  ports: [
    { containerPort: 0 },
    { containerPort: 70000 },
    { containerPort: 80, name: "UPPER" },
    { containerPort: 81, name: "a-very-long-port-name" },
    { containerPort: 82, name: "1" },
    { containerPort: 83, name: "a--b-" },
    { containerPort: 84, protocol: "HTTP" },
    { containerPort: 85, name: "dup" },
    { containerPort: 86, name: "dup" },
    { containerPort: 87, hostPort: 90 },
    { containerPort: 88, hostPort: 90 },
    { containerPort: 89, hostPort: 70000 },
  ],
});
podWith("wrong environment", {
  env: [
    { value: "x" },
    { name: "a=b" },
    { name: "A", valueFrom: {} },
    { name: "B", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "C", valueFrom: { fieldRef: { fieldPath: "spec.nope" } } },
    { name: "D", valueFrom: { fieldRef: { fieldPath: "status.phase" } } },
    { name: "E", valueFrom: { resourceFieldRef: { resource: "limits.gpu" } } },
    { name: "F", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "3" } } },
    { name: "G", valueFrom: { secretKeyRef: { name: "s" } } },
    { name: "H", valueFrom: { configMapKeyRef: { name: "S_", key: "a b" } } },
    { name: "I", valueFrom: { secretKeyRef: { name: "s", key: "k" }, configMapKeyRef: { name: "s", key: "k" } } },
    { name: "J", valueFrom: { fieldRef: {} } },
    { name: "K", valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } },
  ],
  envFrom: [{}, { secretRef: {} }, { secretRef: { name: "S" } }, { prefix: "=", configMapRef: { name: "a" } }],
});
podWith(
  "wrong mounts",
  {
    volumeMounts: [
      { name: "nope", mountPath: "/a" },
      { name: "v", mountPath: "/a" },
      { name: "v" },
      { name: "v", mountPath: "/b", subPath: "/abs" },
      { name: "v", mountPath: "/c", subPath: "../x", subPathExpr: "y" },
      { name: "v", mountPath: "/d", mountPropagation: "Bidirectional" },
    ],
  },
  { volumes: [{ name: "v", emptyDir: {} }] },
);
pod("wrong volumes", {
  volumes: [
    { name: "A" },
    { emptyDir: {} },
    { name: "b", emptyDir: {}, hostPath: { path: "/x" } },
    { name: "b", emptyDir: {} },
    { name: "c", secret: {} },
    { name: "d", configMap: { name: "m", defaultMode: 512, items: [{ key: "k", path: "../x" }, { path: "/abs" }] } },
    { name: "e", hostPath: { path: "/a/../b" } },
    { name: "f", hostPath: { path: "/a", type: "Dir" } },
    { name: "g", persistentVolumeClaim: {} },
    { name: "h", projected: { sources: [{ serviceAccountToken: { expirationSeconds: 5, path: "" } }] } },
    { name: "i", downwardAPI: { items: [{ path: "a" }, { path: "b", fieldRef: { fieldPath: "status.podIP" } }] } },
    { name: "j", nfs: { server: "", path: "x" } },
  ],
});
podWith("wrong probes", {
  livenessProbe: { httpGet: { port: 0 }, successThreshold: 2 },
  readinessProbe: { periodSeconds: -1 },
  startupProbe: { exec: {}, tcpSocket: { port: 80 } },
  lifecycle: { preStop: { sleep: { seconds: 100 } }, postStart: {} },
});
podWith("wrong probe details", {
  livenessProbe: {
    httpGet: { port: "No Port", scheme: "FTP", httpHeaders: [{ name: "a b", value: "" }] },
    terminationGracePeriodSeconds: 0,
  },
  readinessProbe: { grpc: { port: 90000 }, terminationGracePeriodSeconds: 5, failureThreshold: -3 },
});
podWith("wrong resources", {
  resources: {
    limits: { cpu: "1", memory: "-1", gpu: "1", "example.com/gpu": "0.5", "hugepages-2Mi": "2Mi" },
    requests: { cpu: "2", "example.com/gpu": "2", pods: "1" },
  },
});
podWith(
  "wrong security",
  {
    securityContext: {
      runAsUser: -1,
      runAsGroup: 2147483648,
      procMount: "None",
      seccompProfile: { type: "Localhost" },
      allowPrivilegeEscalation: false,
      privileged: true,
    },
  },
  {
    securityContext: {
      runAsUser: -5,
      fsGroup: -1,
      supplementalGroups: [-1],
      seccompProfile: { type: "Own" },
      fsGroupChangePolicy: "Never",
    },
  },
);
pod("wrong policies", {
  restartPolicy: "Maybe",
  dnsPolicy: "Mine",
  preemptionPolicy: "Both",
  terminationGracePeriodSeconds: -1,
});
pod("wrong names", {
  serviceAccountName: "A_",
  nodeName: "N_",
  hostname: "a.b",
  subdomain: "A",
  schedulerName: "s",
  activeDeadlineSeconds: 0,
  runtimeClassName: "R_",
});
pod("wrong dns", { dnsPolicy: "None" });
pod("wrong dns configuration", {
  dnsConfig: { nameservers: ["x", "1.1.1.1", "2.2.2.2", "3.3.3.3"], options: [{ value: "1" }] },
});
pod("wrong node selector", { nodeSelector: { "a b": "-" } });
pod("wrong tolerations", {
  tolerations: [
    { key: "a b", operator: "Exists" },
    { operator: "Equal" },
    { key: "k", operator: "Exists", value: "v" },
    { key: "k", operator: "Like" },
    { key: "k", effect: "Never" },
    { key: "k", effect: "NoSchedule", tolerationSeconds: 3 },
    { key: "k", value: "a b" },
  ],
});
pod("wrong affinity", {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: "k", operator: "In" },
              { key: "a b", operator: "Like" },
              { key: "k", operator: "Gt", values: ["1", "2"] },
            ],
            matchFields: [{ key: "x", operator: "In", values: ["a"] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }],
    },
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "" }] },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 101,
          podAffinityTerm: {
            topologyKey: "a b",
            namespaces: ["A"],
            labelSelector: { matchExpressions: [{ key: "k", operator: "In" }] },
          },
        },
      ],
    },
  },
});
pod("no node selector terms", {
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
});
pod("wrong spread", {
  topologySpreadConstraints: [
    { maxSkew: 0, topologyKey: "", whenUnsatisfiable: "Perhaps" },
    { maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "ScheduleAnyway", minDomains: 2 },
    { maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "ScheduleAnyway", nodeTaintsPolicy: "No" },
  ],
});
pod("wrong aliases and gates", {
  hostAliases: [{ ip: "x", hostnames: ["A_"] }],
  schedulingGates: [{ name: "a b" }, { name: "g" }, { name: "g" }],
  readinessGates: [{ conditionType: "a b" }],
});
pod("init with probes", {
  initContainers: [
    container({
      name: "i",
      livenessProbe: { tcpSocket: { port: 1 } },
      lifecycle: { preStop: { exec: { command: ["a"] } } },
    }),
  ],
});
pod("restart policies of containers", {
  containers: [container({ restartPolicy: "Sometimes" })],
  initContainers: [container({ name: "i", restartPolicy: "Later" })],
});
pod("os", { os: { name: "beos" } });
pod("host pid and shared", { hostPID: true, shareProcessNamespace: true });
pod("deletion cost", {}, { annotations: { "controller.kubernetes.io/pod-deletion-cost": "+1" } });
pod("ephemeral container at creation", { ephemeralContainers: [container({ name: "e" })] });
pod("unknown account", { serviceAccountName: "nobody" });
pod("unknown class", { priorityClassName: "nope" });
pod("priority in numbers", { priority: 5 });
pod("system priority", { priorityClassName: "system-node-critical" });
pod("dotted name", {}, { name: "a.b" });
update("image", "v1", "Pod", { spec: { containers: [container()] } }, (object) => {
  (object["spec"] as { containers: { image: string }[] }).containers[0]!.image = "nginx:2";
});
update("containers", "v1", "Pod", { spec: { containers: [container()] } }, (object) => {
  (object["spec"] as { containers: unknown[] }).containers = [];
});
update("deadline", "v1", "Pod", { spec: { containers: [container()], activeDeadlineSeconds: 5 } }, (object) => {
  (object["spec"] as Wish)["activeDeadlineSeconds"] = 9;
});
update("tolerations", "v1", "Pod", { spec: { containers: [container()] } }, (object) => {
  (object["spec"] as Wish)["tolerations"] = [];
});

// Workloads
const labels = { app: "x" };
const template = (spec: Wish = {}, metadata: Wish = { labels }) => ({
  metadata,
  spec: { containers: [container()], ...spec },
});
const selector = { matchLabels: labels };
for (const kind of ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"]) {
  const workload = (name: string, spec: Wish) =>
    add(name, "apps/v1", kind, { spec: { selector, template: template(), ...spec } });
  workload("minimal", {});
  workload("no selector", { selector: undefined });
  workload("empty selector", { selector: {} });
  workload("wrong selector", {
    selector: {
      matchLabels: { "a b": "c" },
      matchExpressions: [
        { key: "k", operator: "Like" },
        { key: "k", operator: "Exists", values: ["v"] },
      ],
    },
  });
  workload("labels do not match", { template: template({}, { labels: { app: "y" } }) });
  workload("restart policy", { template: template({ restartPolicy: "Never", activeDeadlineSeconds: 5 }) });
  workload("no containers", { template: template({ containers: [] }) });
  workload("negative numbers", { minReadySeconds: -1, revisionHistoryLimit: -1 });
  workload("container without an image", { template: template({ containers: [{ name: "c" }] }) });
  update("another selector", "apps/v1", kind, { spec: { selector, template: template() } }, (object) => {
    const spec = object["spec"] as { selector: Wish; template: { metadata: Wish } };
    spec.selector = { matchLabels: { app: "y" } };
    spec.template.metadata = { labels: { app: "y" } };
  });
  update("another image", "apps/v1", kind, { spec: { selector, template: template() } }, (object) => {
    const spec = object["spec"] as { template: { spec: { containers: { image: string }[] } } };
    spec.template.spec.containers[0]!.image = "nginx:2";
  });
}
const deployment = (name: string, spec: Wish) =>
  add(name, "apps/v1", "Deployment", { spec: { selector, template: template(), ...spec } });
deployment("negative replicas", { replicas: -1 });
deployment("recreate", { strategy: { type: "Recreate" } });
deployment("recreate with rolling", { strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } });
deployment("unknown strategy", { strategy: { type: "BlueGreen" } });
deployment("zero and zero", { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } });
deployment("zero percent", { strategy: { rollingUpdate: { maxSurge: "0%", maxUnavailable: "0%" } } });
deployment("too many percent", { strategy: { rollingUpdate: { maxSurge: "x", maxUnavailable: "101%" } } });
deployment("deadline too short", { progressDeadlineSeconds: 5, minReadySeconds: 5 });
add("strategies", "apps/v1", "StatefulSet", {
  spec: {
    selector,
    template: template(),
    serviceName: "A",
    podManagementPolicy: "X",
    updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } },
  },
});
add("claims", "apps/v1", "StatefulSet", {
  spec: {
    selector,
    serviceName: "x",
    template: template({ containers: [container({ volumeMounts: [{ name: "data", mountPath: "/d" }] })] }),
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
    ],
  },
});
add("wrong claims", "apps/v1", "StatefulSet", {
  spec: {
    selector,
    template: template(),
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }],
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: -1, maxUnavailable: 0 } },
  },
});
add("unknown strategy", "apps/v1", "StatefulSet", {
  spec: {
    selector,
    template: template(),
    updateStrategy: { type: "X" },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Never" },
  },
});
update(
  "service name",
  "apps/v1",
  "StatefulSet",
  { spec: { selector, template: template(), serviceName: "a" } },
  (object) => {
    (object["spec"] as Wish)["serviceName"] = "b";
  },
);
add("both", "apps/v1", "DaemonSet", {
  spec: {
    selector,
    template: template(),
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
  },
});
add("neither", "apps/v1", "DaemonSet", {
  spec: { selector, template: template(), updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
});
add("minimal", "apps/v1", "ControllerRevision", { data: { a: 1 }, revision: 1 });
add("no data", "apps/v1", "ControllerRevision", { revision: -1 });
add("minimal", "v1", "ReplicationController", { spec: { template: template() } });
add("no template", "v1", "ReplicationController", { spec: { selector: labels } });
add("minimal", "v1", "PodTemplate", { template: template() });

// Jobs
const job = (name: string, spec: Wish) =>
  add(name, "batch/v1", "Job", { spec: { template: template({ restartPolicy: "Never" }, {}), ...spec } });
job("minimal", {});
job("restarts always", { template: template({}, {}) });
job("restarts at will", { template: template({ restartPolicy: "Maybe" }, {}) });
job("negative", {
  parallelism: -1,
  completions: -1,
  backoffLimit: -1,
  ttlSecondsAfterFinished: -1,
  activeDeadlineSeconds: -1,
});
job("indexed without completions", { completionMode: "Indexed" });
job("unknown mode", { completionMode: "X" });
job("indexed options", { backoffLimitPerIndex: 1, maxFailedIndexes: 1 });
job("own selector", { manualSelector: true, selector, template: template({ restartPolicy: "OnFailure" }) });
job("selector not allowed", { selector });
job("selector that cannot be read", {
  selector: { matchExpressions: [{ key: "a", operator: "In", values: ["::1"] }] },
});
update("completions", "batch/v1", "Job", { spec: { template: template({ restartPolicy: "Never" }, {}) } }, (object) => {
  (object["spec"] as Wish)["completions"] = 3;
});
const cron = (name: string, spec: Wish) =>
  add(name, "batch/v1", "CronJob", {
    spec: {
      schedule: "*/5 * * * *",
      jobTemplate: { spec: { template: template({ restartPolicy: "Never" }, {}) } },
      ...spec,
    },
  });
cron("minimal", {});
for (const schedule of [
  "",
  "* * *",
  "61 * * * *",
  "a * * * *",
  "5-1 * * * *",
  "*/0 * * * *",
  "@daily",
  "@sometimes",
  "0 0 * * mon-fri",
  "0 0 31 dec *",
])
  cron(`schedule ${schedule}`, { schedule });
cron("wrong", {
  concurrencyPolicy: "X",
  timeZone: "Mars/Olympus",
  successfulJobsHistoryLimit: -1,
  startingDeadlineSeconds: -1,
  jobTemplate: { spec: { template: template({}, {}) } },
});

// Services
const service = (name: string, spec: Wish, metadata: Wish = {}) =>
  add(name, "v1", "Service", { spec: { ports: [{ port: 80 }], selector: labels, ...spec } }, metadata);
service("minimal", {});
service("headless", { clusterIP: "None" });
service("headless without selector", { clusterIP: "None", selector: undefined });
service("node port", { type: "NodePort" });
service("load balancer", { type: "LoadBalancer" });
service("local load balancer", { type: "LoadBalancer", externalTrafficPolicy: "Local" });
service("external name", { type: "ExternalName", externalName: "example.com", ports: undefined, selector: undefined });
service("sticky", { sessionAffinity: "ClientIP" });
service("no ports", { ports: [] });
service("wrong name", {}, { name: "1.x" });
service("digits first", {}, { name: "1x" });
service("wrong ports", {
  ports: [
    { port: 0 },
    { port: 80, name: "a", protocol: "HTTP" },
    { port: 81, name: "a", targetPort: "No Port" },
    { port: 82, name: "B" },
  ],
});
service("repeated ports", {
  ports: [
    { port: 80, name: "a" },
    { port: 80, name: "b" },
  ],
});
service("node port of a cluster service", { ports: [{ port: 80, nodePort: 30001 }] });
service("node port out of range", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] });
service("address out of range", { clusterIP: "1.2.3.4" });
service("address is none", { clusterIP: "nope" });
service("address is taken", { clusterIP: "10.96.0.1" });
service("unknown type", { type: "X" });
service("no external name", { type: "ExternalName", ports: undefined });
service("headless node port", { type: "NodePort", clusterIP: "None" });
service("policies", {
  externalTrafficPolicy: "Local",
  internalTrafficPolicy: "X",
  trafficDistribution: "Y",
  sessionAffinity: "Z",
  healthCheckNodePort: 5,
});
service("load balancer fields", {
  loadBalancerSourceRanges: ["1.2.3.4"],
  loadBalancerClass: "a/b",
  allocateLoadBalancerNodePorts: true,
});
service("external addresses", { externalIPs: ["1.2.3.4", "127.0.0.1", "x", "0.0.0.0"] });
service("dual stack", { ipFamilyPolicy: "RequireDualStack" });
service("other family", { ipFamilies: ["IPv6"] });
service("wrong selector", { selector: { "a b": "-" } });
update("another address", "v1", "Service", { spec: { ports: [{ port: 80 }] } }, (object) => {
  const spec = object["spec"] as Wish;
  spec["clusterIP"] = "10.96.200.200";
  spec["clusterIPs"] = ["10.96.200.200"];
});
update("no address", "v1", "Service", { spec: { ports: [{ port: 80 }] } }, (object) => {
  const spec = object["spec"] as Wish;
  delete spec["clusterIP"];
  delete spec["clusterIPs"];
  spec["ports"] = [{ port: 81 }];
});
update("to node port and back", "v1", "Service", { spec: { type: "NodePort", ports: [{ port: 80 }] } }, (object) => {
  (object["spec"] as Wish)["type"] = "ClusterIP";
});
update("to external name", "v1", "Service", { spec: { ports: [{ port: 80 }] } }, (object) => {
  const spec = object["spec"] as Wish;
  spec["type"] = "ExternalName";
  spec["externalName"] = "example.com";
});
update("another node port kept", "v1", "Service", { spec: { type: "NodePort", ports: [{ port: 80 }] } }, (object) => {
  (object["spec"] as Wish)["ports"] = [{ port: 80, targetPort: 81 }];
});

// Endpoints
add("minimal", "v1", "Endpoints", { subsets: [{ addresses: [{ ip: "1.2.3.4" }], ports: [{ port: 80 }] }] });
add("wrong", "v1", "Endpoints", {
  subsets: [
    {},
    { addresses: [{ ip: "x" }, { ip: "127.0.0.1", hostname: "A" }], ports: [{ port: 0 }, { port: 1, name: "B" }] },
  ],
});
add("minimal", "discovery.k8s.io/v1", "EndpointSlice", {
  addressType: "IPv4",
  endpoints: [{ addresses: ["1.2.3.4"] }],
  ports: [{ port: 80 }],
});
add("wrong", "discovery.k8s.io/v1", "EndpointSlice", {
  addressType: "IPv4",
  endpoints: [{ addresses: [] }, { addresses: ["::1"], nodeName: "A_" }, { addresses: ["x"], hostname: "B" }],
  ports: [{ port: 80 }, { port: 81 }, { name: "C" }],
});
add("unknown type", "discovery.k8s.io/v1", "EndpointSlice", { addressType: "X", endpoints: [] });

// Networking
const rule = (path: Wish) => ({ rules: [{ host: "a.example", http: { paths: [path] } }] });
const backend = { service: { name: "web", port: { number: 80 } } };
add("minimal", "networking.k8s.io/v1", "Ingress", { spec: rule({ path: "/", pathType: "Prefix", backend }) });
add("default backend", "networking.k8s.io/v1", "Ingress", { spec: { defaultBackend: backend } });
add("nothing", "networking.k8s.io/v1", "Ingress", { spec: {} });
add("no path type", "networking.k8s.io/v1", "Ingress", { spec: rule({ path: "/", backend }) });
add("unknown path type", "networking.k8s.io/v1", "Ingress", { spec: rule({ path: "/", pathType: "Regex", backend }) });
add("relative path", "networking.k8s.io/v1", "Ingress", {
  spec: rule({ path: "a//b/..", pathType: "Exact", backend }),
});
add("wrong backends", "networking.k8s.io/v1", "Ingress", {
  spec: {
    rules: [
      {
        http: {
          paths: [
            { path: "/a", pathType: "Prefix", backend: {} },
            { path: "/b", pathType: "Prefix", backend: { service: { name: "A" } } },
            { path: "/c", pathType: "Prefix", backend: { service: { name: "a", port: { name: "B", number: 0 } } } },
            { path: "/d", pathType: "Prefix", backend: { service: { name: "a", port: { name: "b", number: 1 } } } },
          ],
        },
      },
    ],
  },
});
add("wrong hosts", "networking.k8s.io/v1", "Ingress", {
  spec: {
    defaultBackend: backend,
    ingressClassName: "A_",
    rules: [{ host: "1.2.3.4" }, { host: "A_" }, { host: "*.a.b" }, { host: "a.*.b" }],
    tls: [{ hosts: ["B_"], secretName: "S_" }],
  },
});
add("minimal", "networking.k8s.io/v1", "IngressClass", { spec: { controller: "dhow.dev/ingress" } });
add("wrong", "networking.k8s.io/v1", "IngressClass", {
  spec: { controller: "nginx", parameters: { kind: "", name: "", scope: "X" } },
});
add("minimal", "networking.k8s.io/v1", "NetworkPolicy", { spec: { podSelector: {} } });
add("with egress", "networking.k8s.io/v1", "NetworkPolicy", {
  spec: {
    podSelector: {},
    egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }], ports: [{ port: 53 }] }],
  },
});
add("wrong", "networking.k8s.io/v1", "NetworkPolicy", {
  spec: {
    podSelector: { matchLabels: { "a b": "c" } },
    policyTypes: ["X"],
    ingress: [
      {
        from: [
          {},
          { ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} },
          { ipBlock: { cidr: "x" } },
          { ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/8"] } },
        ],
        ports: [
          { protocol: "X" },
          { port: 0 },
          { port: "No Port" },
          { port: 80, endPort: 70 },
          { endPort: 5 },
          { port: "a", endPort: 5 },
        ],
      },
    ],
  },
});

// Autoscaling, budgets
const target = { apiVersion: "apps/v1", kind: "Deployment", name: "x" };
const hpa = (name: string, spec: Wish) =>
  add(name, "autoscaling/v2", "HorizontalPodAutoscaler", { spec: { scaleTargetRef: target, maxReplicas: 3, ...spec } });
hpa("minimal", {});
hpa("behavior", { behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } });
hpa("wrong", { maxReplicas: 0, minReplicas: 0, scaleTargetRef: { kind: "", name: "", apiVersion: "v1" } });
hpa("min above max", { minReplicas: 5 });
hpa("wrong metrics", {
  metrics: [
    { type: "Resource" },
    { type: "X" },
    { type: "Resource", resource: { name: "", target: { type: "X" } } },
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 0 } } },
    { type: "Pods", pods: { metric: { name: "" }, target: { type: "Value" } } },
  ],
});
hpa("wrong behavior", {
  behavior: {
    scaleUp: {
      stabilizationWindowSeconds: 4000,
      selectPolicy: "X",
      policies: [{ type: "X", value: 0, periodSeconds: 0 }],
    },
    scaleDown: { policies: [{ type: "Pods", value: 1, periodSeconds: 1801 }] },
  },
});
add("of the older version", "autoscaling/v1", "HorizontalPodAutoscaler", {
  spec: { scaleTargetRef: target, maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
});
add("minimal", "policy/v1", "PodDisruptionBudget", { spec: { selector, minAvailable: 1 } });
add("both", "policy/v1", "PodDisruptionBudget", { spec: { selector, minAvailable: 1, maxUnavailable: 1 } });
add("wrong", "policy/v1", "PodDisruptionBudget", {
  spec: {
    selector: { matchExpressions: [{ key: "k", operator: "In" }] },
    maxUnavailable: "101%",
    unhealthyPodEvictionPolicy: "X",
  },
});
add("negative", "policy/v1", "PodDisruptionBudget", { spec: { minAvailable: -1 } });
add("no percentage", "policy/v1", "PodDisruptionBudget", { spec: { minAvailable: "half" } });
add("minimal", "scheduling.k8s.io/v1", "PriorityClass", { value: 5 }, { name: "golden" });
add("too high", "scheduling.k8s.io/v1", "PriorityClass", { value: 1_000_000_001 }, { name: "golden" });
add("system", "scheduling.k8s.io/v1", "PriorityClass", { value: 5 }, { name: "system-x" });
add("preemption", "scheduling.k8s.io/v1", "PriorityClass", { value: 5, preemptionPolicy: "X" }, { name: "golden" });

// Rights
const rbac = "rbac.authorization.k8s.io/v1";
add("minimal", rbac, "Role", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }, { name: "a:b" });
add("wrong", rbac, "Role", { rules: [{}, { verbs: ["get"], nonResourceURLs: ["/x"] }] }, { name: "a/b" });
add(
  "wrong",
  rbac,
  "ClusterRole",
  {
    rules: [{ verbs: ["get"], nonResourceURLs: ["/x"], resources: ["pods"] }],
    aggregationRule: { clusterRoleSelectors: [] },
  },
  { name: "golden" },
);
add("minimal", rbac, "RoleBinding", {
  roleRef: { kind: "ClusterRole", name: "view" },
  subjects: [
    { kind: "User", name: "u" },
    { kind: "ServiceAccount", name: "s" },
  ],
});
add("wrong", rbac, "RoleBinding", {
  roleRef: { kind: "X", name: "", apiGroup: "y" },
  subjects: [
    { kind: "User", name: "", apiGroup: "x" },
    { kind: "ServiceAccount", name: "S_", apiGroup: "x" },
    { kind: "Robot", name: "r" },
  ],
});
add("minimal", rbac, "ClusterRoleBinding", { roleRef: { kind: "ClusterRole", name: "view" } }, { name: "golden" });
add(
  "wrong",
  rbac,
  "ClusterRoleBinding",
  { roleRef: { kind: "Role", name: "x" }, subjects: [{ kind: "ServiceAccount", name: "s" }] },
  { name: "golden" },
);
update(
  "another role",
  rbac,
  "RoleBinding",
  { roleRef: { kind: "ClusterRole", name: "view", apiGroup: "rbac.authorization.k8s.io" } },
  (object) => {
    (object["roleRef"] as Wish)["name"] = "edit";
  },
);

// Storage
const claim = (name: string, spec: Wish) =>
  add(name, "v1", "PersistentVolumeClaim", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });
claim("minimal", {});
claim("wrong", {
  accessModes: ["X"],
  resources: { requests: { storage: "0" } },
  storageClassName: "A_",
  volumeMode: "X",
});
claim("nothing", { accessModes: [], resources: {} });
claim("modes at odds", { accessModes: ["ReadWriteOnce", "ReadWriteOncePod"] });
update(
  "smaller",
  "v1",
  "PersistentVolumeClaim",
  { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  (object) => {
    (object["spec"] as { resources: { requests: Wish } }).resources.requests["storage"] = "2Gi";
  },
);
add(
  "minimal",
  "v1",
  "PersistentVolume",
  { spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/x" } } },
  { name: "golden" },
);
add("wrong", "v1", "PersistentVolume", { spec: { persistentVolumeReclaimPolicy: "X" } }, { name: "golden" });
add(
  "two sources",
  "v1",
  "PersistentVolume",
  {
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "0" },
      hostPath: { path: "/x" },
      nfs: { server: "s", path: "/p" },
    },
  },
  { name: "golden" },
);
add(
  "local without affinity",
  "v1",
  "PersistentVolume",
  { spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, local: { path: "/x" } } },
  { name: "golden" },
);
add("minimal", "storage.k8s.io/v1", "StorageClass", { provisioner: "dhow.dev/path" }, { name: "golden" });
add(
  "wrong",
  "storage.k8s.io/v1",
  "StorageClass",
  { provisioner: "a b", reclaimPolicy: "X", volumeBindingMode: "Y" },
  { name: "golden" },
);
add("no provisioner", "storage.k8s.io/v1", "StorageClass", {}, { name: "golden" });

// Limits
add("minimal", "v1", "ResourceQuota", {
  spec: { hard: { pods: "5", "requests.cpu": "1", "count/deployments.apps": "2" } },
});
add("wrong", "v1", "ResourceQuota", {
  spec: { hard: { gpu: "1", pods: "-1", services: "1.5" }, scopes: ["X", "BestEffort", "NotBestEffort"] },
});
add("scopes at odds", "v1", "ResourceQuota", { spec: { hard: { "requests.cpu": "1" }, scopes: ["BestEffort"] } });
add("wrong selector", "v1", "ResourceQuota", {
  spec: {
    hard: { pods: "1" },
    scopeSelector: {
      matchExpressions: [
        { scopeName: "PriorityClass", operator: "In" },
        { scopeName: "X", operator: "Y" },
      ],
    },
  },
});
update("scopes", "v1", "ResourceQuota", { spec: { hard: { pods: "1" } } }, (object) => {
  (object["spec"] as Wish)["scopes"] = ["BestEffort"];
});
add("minimal", "v1", "LimitRange", {
  spec: { limits: [{ type: "Container", max: { cpu: "1" }, min: { memory: "1Mi" } }] },
});
add("wrong", "v1", "LimitRange", {
  spec: {
    limits: [
      { type: "Container", max: { cpu: "1" }, min: { cpu: "2" } },
      { type: "Container" },
      { type: "Pod", default: { cpu: "1" } },
      { type: "PersistentVolumeClaim" },
    ],
  },
});
add("order", "v1", "LimitRange", {
  spec: {
    limits: [
      {
        type: "Container",
        default: { cpu: "2" },
        defaultRequest: { cpu: "3" },
        max: { cpu: "1" },
        maxLimitRequestRatio: { cpu: "0.5" },
      },
    ],
  },
});

// Nodes and what they write
add("minimal", "v1", "Node", { status: { capacity: { cpu: "1" } } }, { name: "golden" });
add(
  "wrong taints",
  "v1",
  "Node",
  {
    spec: {
      taints: [
        { key: "a b", value: "-", effect: "X" },
        { key: "k", effect: "NoSchedule" },
        { key: "k", effect: "NoSchedule" },
      ],
    },
  },
  { name: "golden" },
);
const ranges = { podCIDR: "10.1.0.0/24", podCIDRs: ["10.2.0.0/24"] };
add("one range of pods, in the older field", "v1", "Node", { spec: { podCIDR: "10.1.0.0/24" } }, { name: "golden" });
add("one range of pods, in the newer field", "v1", "Node", { spec: { podCIDRs: ["10.1.0.0/24"] } }, { name: "golden" });
add("two ranges of pods that differ", "v1", "Node", { spec: ranges }, { name: "golden" });
add("no range of pods", "v1", "Node", { spec: { podCIDR: "x" } }, { name: "golden" });
add(
  "two ranges of one family",
  "v1",
  "Node",
  { spec: { podCIDRs: ["10.1.0.0/24", "10.2.0.0/24"] } },
  { name: "golden" },
);
update(
  "another range of pods",
  "v1",
  "Node",
  { spec: { podCIDR: "10.1.0.0/24" } },
  (object) => Object.assign(object["spec"] as Wish, ranges, { podCIDR: "10.2.0.0/24" }),
  { name: "golden-2" },
);
add("minimal", "coordination.k8s.io/v1", "Lease", { spec: { holderIdentity: "a", leaseDurationSeconds: 40 } });
add("wrong", "coordination.k8s.io/v1", "Lease", {
  spec: { leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: "b" },
});
add("minimal", "v1", "Event", {
  involvedObject: { kind: "Pod", name: "x", namespace },
  reason: "R",
  message: "m",
  type: "Normal",
});
add("another namespace", "v1", "Event", { involvedObject: { kind: "Pod", name: "x", namespace: "other" } });
add("cluster-wide", "v1", "Event", { involvedObject: { kind: "Node", name: "x" } });
for (const apiVersion of ["v1", ""])
  add(`a metric of something of "${apiVersion}"`, "autoscaling/v2", "HorizontalPodAutoscaler", {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" },
      maxReplicas: 3,
      metrics: [
        {
          type: "Object",
          object: {
            describedObject: { apiVersion, kind: "Service", name: "a" },
            metric: { name: "m" },
            target: { type: "Value", value: "1" },
          },
        },
      ],
    },
  });

const about = (place: string) => ({
  eventTime: "2026-11-27T01:21:13.000000Z",
  type: "Normal",
  action: "Pull",
  reason: "Pulled",
  reportingInstance: "c-1",
  regarding: { kind: "Pod", name: "p", ...(place ? { namespace: place } : {}) },
  reportingController: "a.b/c",
});
add("about another namespace", "events.k8s.io/v1", "Event", about("elsewhere"));
add("about what is in no namespace", "events.k8s.io/v1", "Event", about(""));

const attached = (spec: Wish) =>
  add(Object.keys(spec).join(" and ") || "empty", "storage.k8s.io/v1", "VolumeAttachment", { spec });
attached({});
attached({ attacher: "a b", nodeName: "n", source: {} });
add("two sources", "storage.k8s.io/v1", "VolumeAttachment", {
  spec: {
    attacher: "a",
    nodeName: "n",
    source: { persistentVolumeName: "p", inlineVolumeSpec: { accessModes: ["ReadWriteOnce"] } },
  },
});
add("names that are none", "storage.k8s.io/v1", "VolumeAttachment", {
  spec: { attacher: "Csi.Example.org", nodeName: "N_", source: { persistentVolumeName: "p q" } },
});
add("attached, as it says", "storage.k8s.io/v1", "VolumeAttachment", {
  spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "p" } },
  status: { attached: true },
});
update(
  "another node",
  "storage.k8s.io/v1",
  "VolumeAttachment",
  { spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "p" } } },
  (object) => Object.assign(object["spec"] as Wish, { nodeName: "m" }),
);

export { cases };
