import { customResources } from "./custom.ts";
/** One request of a scenario; `{ns}` in the path stands for the scenario's own namespace. */
export interface Step {
  readonly says: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly as?: string;
  readonly groups?: readonly string[];
  readonly accept?: string;
  /** Content type of a patch. */
  readonly type?: string;
  /** Asked again until the answer is this one: where controllers of a real cluster need their time. */
  readonly until?: number;
  /** What is answered is no matter of the API server alone; only the code is compared. */
  readonly codeOnly?: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

type Fields = Record<string, unknown>;

const post = (says: string, path: string, body: unknown, more: Partial<Step> = {}): Step => ({
  says,
  method: "POST",
  path,
  body,
  ...more,
});
const pods = "/api/v1/namespaces/{ns}/pods";
const deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
const merge = "application/merge-patch+json";

export const pod = (name: string, container: Fields = {}, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "c", image: "nginx:1", ...container }], ...spec },
});
const label = (labels: Fields): Step => ({
  says: `label the namespace ${JSON.stringify(labels)}`,
  method: "PATCH",
  path: "/api/v1/namespaces/{ns}",
  type: merge,
  body: { metadata: { labels } },
});
const security = (mode: string, level: string) => label({ [`pod-security.kubernetes.io/${mode}`]: level });

const good = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
const badPods: readonly [string, ReturnType<typeof pod>][] = [
  ["plain", pod("p1")],
  ["good", pod("p2", { securityContext: good })],
  ["privileged", pod("p3", { securityContext: { privileged: true } })],
  [
    "host everything",
    pod(
      "p4",
      { ports: [{ containerPort: 80, hostPort: 80 }] },
      { hostNetwork: true, hostPID: true, hostIPC: true, volumes: [{ name: "v", hostPath: { path: "/" } }] },
    ),
  ],
  ["capabilities", pod("p5", { securityContext: { capabilities: { add: ["NET_ADMIN", "CHOWN"] } } })],
  [
    "root",
    pod(
      "p6",
      { securityContext: { ...good, runAsUser: 0, runAsNonRoot: false } },
      { securityContext: { runAsUser: 0 } },
    ),
  ],
  [
    "unconfined",
    pod(
      "p7",
      {
        securityContext: {
          seccompProfile: { type: "Unconfined" },
          procMount: "Unmasked",
          appArmorProfile: { type: "Unconfined" },
        },
      },
      { hostUsers: false },
    ),
  ],
  [
    "selinux and sysctls",
    pod(
      "p8",
      { securityContext: { seLinuxOptions: { user: "u", type: "t" } } },
      { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }], seLinuxOptions: { role: "r" } } },
    ),
  ],
  [
    "several containers",
    pod(
      "p9",
      {},
      {
        initContainers: [{ name: "i", image: "a:1" }],
        containers: [
          { name: "a", image: "a:1", securityContext: good },
          { name: "b", image: "b:1", livenessProbe: { httpGet: { port: 1, host: "1.2.3.4" } } },
        ],
        volumes: [{ name: "n", nfs: { server: "s", path: "/p" } }],
      },
    ),
  ],
];
const dry = `${pods}?dryRun=All`;

const podSecurity: Scenario[] = ["privileged", "baseline", "restricted"].map((level) => ({
  name: `Pod Security: ${level}`,
  steps: [
    security("enforce", level),
    ...badPods.map(([says, body]) =>
      post(says, dry, body, says === "plain" && level === "restricted" ? { until: 403 } : {}),
    ),
  ],
}));
podSecurity.push(
  {
    name: "Pod Security: warn and older versions",
    steps: [
      security("warn", "restricted"),
      post("a plain pod", dry, pod("p1")),
      post("a deployment", `${deployments}?dryRun=All`, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "d" },
        spec: {
          selector: { matchLabels: { a: "b" } },
          template: { metadata: { labels: { a: "b" } }, spec: pod("x").spec },
        },
      }),
      label({
        "pod-security.kubernetes.io/warn": null,
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "v1.18",
      }),
      ...badPods.map(([says, body]) => post(says, dry, body, says === "plain" ? { until: 403 } : {})),
      security("enforce", "strict"),
    ],
  },
  {
    name: "Pod Security: a level that comes later",
    steps: [
      post("a plain pod", pods, pod("a")),
      post("another", pods, pod("b")),
      post("a privileged one", pods, pod("c", { securityContext: { privileged: true } })),
      security("enforce", "restricted"),
    ],
  },
);

const quota = (spec: Fields) =>
  post("a quota", "/api/v1/namespaces/{ns}/resourcequotas", {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "q" },
    spec,
  });
const seen = (used: string): Step => ({
  says: `the quota counts ${used}`,
  method: "GET",
  path: "/api/v1/namespaces/{ns}/resourcequotas/q",
  until: 200,
  codeOnly: used === "nothing",
});
const limits = { resources: { requests: { cpu: "100m", memory: "10Mi" }, limits: { cpu: "200m", memory: "20Mi" } } };

const quotas: Scenario[] = [
  {
    name: "quota on pods and what they ask for",
    steps: [
      quota({ hard: { pods: "2", "requests.cpu": "250m", "limits.memory": "1Gi" } }),
      seen("nothing"),
      post("says nothing of its needs", pods, pod("a")),
      post("says half", pods, pod("a", { resources: { requests: { cpu: "100m" } } })),
      post("one", pods, pod("a", limits)),
      post(
        "asks for too much",
        pods,
        pod("b", { resources: { requests: { cpu: "200m" }, limits: { cpu: "1", memory: "2Gi" } } }),
      ),
      post("two", pods, pod("b", limits)),
      post("three", pods, pod("c", limits)),
      seen("two"),
    ],
  },
  {
    name: "quota on counts and services",
    steps: [
      quota({ hard: { "count/deployments.apps": "0", configmaps: "2", "services.nodeports": "1", secrets: "0" } }),
      seen("nothing"),
      post("a deployment", deployments, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "d" },
        spec: {
          selector: { matchLabels: { a: "b" } },
          template: { metadata: { labels: { a: "b" } }, spec: pod("x").spec },
        },
      }),
      post("a secret", "/api/v1/namespaces/{ns}/secrets", {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s" },
      }),
      post("two node ports", "/api/v1/namespaces/{ns}/services", {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "s" },
        spec: {
          type: "NodePort",
          ports: [
            { name: "a", port: 1 },
            { name: "b", port: 2 },
          ],
        },
      }),
    ],
  },
  {
    name: "quota of a scope",
    steps: [
      quota({ hard: { pods: "0" }, scopes: ["BestEffort"] }),
      seen("nothing"),
      post("best effort", pods, pod("a")),
      post("not best effort", pods, pod("b", limits)),
    ],
  },
];

const range = (limit: Fields) =>
  post("a limit range", "/api/v1/namespaces/{ns}/limitranges", {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "l" },
    spec: { limits: [limit] },
  });
const limitRanges: Scenario[] = [
  {
    name: "limit range fills in",
    steps: [
      range({ type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "100m", memory: "1Mi" } }),
      post("a pod", dry, pod("a")),
    ],
  },
  {
    name: "limit range bounds",
    steps: [
      range({ type: "Container", max: { cpu: "1" }, min: { cpu: "100m" }, maxLimitRequestRatio: { cpu: "2" } }),
      post("too much", dry, pod("a", { resources: { limits: { cpu: "2" } } })),
      post("too little", dry, pod("a", { resources: { requests: { cpu: "10m" }, limits: { cpu: "20m" } } })),
      post("too wide", dry, pod("a", { resources: { requests: { cpu: "100m" }, limits: { cpu: "900m" } } })),
    ],
  },
  {
    name: "limit range on pods",
    steps: [
      range({ type: "Pod", max: { memory: "1Gi" } }),
      post("says nothing", dry, pod("a")),
      post("too much", dry, pod("a", { resources: { limits: { memory: "2Gi" } } })),
    ],
  },
];

const rights = "/apis/rbac.authorization.k8s.io/v1";
const role = (rules: unknown[]) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name: "r" },
  rules,
});
const bind = (name: string, kind: string, target: string, user: string) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { name },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: target },
  subjects: [{ kind: "User", name: user, apiGroup: "rbac.authorization.k8s.io" }],
});
const jane = { as: "jane", groups: ["friends"] };
const access = "/apis/authorization.k8s.io/v1";
const ask = (says: string, attributes: Fields) =>
  post(
    says,
    `${access}/selfsubjectaccessreviews`,
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: attributes },
    },
    jane,
  );

const authorization: Scenario[] = [
  {
    name: "rights",
    steps: [
      { says: "a stranger reads pods", method: "GET", path: pods, ...jane },
      { says: "a stranger reads one pod", method: "GET", path: `${pods}/x`, ...jane },
      { says: "a stranger reads nodes", method: "GET", path: "/api/v1/nodes", ...jane },
      { says: "a stranger asks for the version", method: "GET", path: "/healthz", ...jane },
      { says: "a stranger asks for metrics", method: "GET", path: "/metrics", ...jane },
      ask("may I before", { verb: "get", resource: "pods", namespace: "{ns}" }),
      post("let her view", `${rights}/namespaces/{ns}/rolebindings`, bind("view", "ClusterRole", "view", "jane")),
      ask("may I now", { verb: "get", resource: "pods", namespace: "{ns}" }),
      ask("may I write", { verb: "create", resource: "pods", namespace: "{ns}" }),
      { says: "she reads one pod", method: "GET", path: `${pods}/x`, ...jane },
      { says: "she reads secrets", method: "GET", path: "/api/v1/namespaces/{ns}/secrets", ...jane },
      {
        says: "she scales",
        method: "PATCH",
        path: `${deployments}/d/scale`,
        type: merge,
        body: { spec: { replicas: 1 } },
        ...jane,
      },
      { says: "she deletes all pods", method: "DELETE", path: pods, ...jane },
      post(
        "who is she",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
        jane,
      ),
      post("may somebody else", `${access}/subjectaccessreviews`, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: { user: "jane", resourceAttributes: { verb: "list", resource: "pods", namespace: "{ns}" } },
      }),
      post("may nobody", `${access}/subjectaccessreviews`, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: { resourceAttributes: { verb: "list", resource: "pods" } },
      }),
      post("both kinds at once", `${access}/selfsubjectaccessreviews`, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { verb: "get" }, nonResourceAttributes: { verb: "get" } },
      }),
      post("in another namespace", `${access}/namespaces/{ns}/localsubjectaccessreviews`, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "LocalSubjectAccessReview",
        spec: { user: "u", resourceAttributes: { verb: "get", resource: "pods", namespace: "x" } },
      }),
    ],
  },
  {
    name: "nobody gives what he has not",
    steps: [
      post("let her write roles", `${rights}/namespaces/{ns}/roles`, {
        ...role([
          { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["*"] },
          { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
        ]),
        metadata: { name: "writer" },
      }),
      post("bind it", `${rights}/namespaces/{ns}/rolebindings`, bind("writer", "Role", "writer", "jane")),
      post(
        "she gives what she has",
        `${rights}/namespaces/{ns}/roles`,
        role([{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }]),
        { ...jane, until: 201 },
      ),
      post(
        "she gives more",
        `${rights}/namespaces/{ns}/roles`,
        {
          ...role([
            { apiGroups: ["", "apps"], resources: ["pods", "secrets"], verbs: ["get", "create"], resourceNames: ["a"] },
          ]),
          metadata: { name: "more" },
        },
        jane,
      ),
      post(
        "she binds more",
        `${rights}/namespaces/{ns}/rolebindings`,
        bind("more", "ClusterRole", "system:controller:ttl-controller", "jane"),
        jane,
      ),
      post(
        "she binds what is not there",
        `${rights}/namespaces/{ns}/rolebindings`,
        bind("nothing", "Role", "nope", "jane"),
        jane,
      ),
    ],
  },
  {
    name: "impersonation",
    steps: [
      post(
        "as a service account",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
        { as: "system:serviceaccount:a:b" },
      ),
      { says: "as nobody", method: "GET", path: pods, as: "system:anonymous" },
      { says: "groups without a user", method: "GET", path: pods, groups: ["a"] },
    ],
  },
];

const node = { as: "system:node:n1", groups: ["system:nodes"] };
const nodes: Scenario[] = [
  {
    name: "a node",
    steps: [
      post("a pod elsewhere", pods, pod("other", {}, { nodeName: "n2" })),
      post(
        "a pod of its own",
        pods,
        pod("mine", { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }, { nodeName: "n1" }),
      ),
      post("a secret", "/api/v1/namespaces/{ns}/secrets", {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s" },
      }),
      { says: "reads its secret", method: "GET", path: "/api/v1/namespaces/{ns}/secrets/s", ...node, until: 200 },
      { says: "reads another secret", method: "GET", path: "/api/v1/namespaces/{ns}/secrets/t", ...node },
      { says: "lists secrets", method: "GET", path: "/api/v1/namespaces/{ns}/secrets", ...node },
      {
        says: "writes another pod's status",
        method: "PATCH",
        path: `${pods}/other/status`,
        type: merge,
        body: { status: { message: "x" } },
        ...node,
      },
      {
        says: "writes its pod's status",
        method: "PATCH",
        path: `${pods}/mine/status`,
        type: merge,
        body: { status: { message: "x" } },
        ...node,
      },
      {
        says: "writes its pod",
        method: "PATCH",
        path: `${pods}/mine`,
        type: merge,
        body: { metadata: { labels: { a: "b" } } },
        ...node,
      },
      { says: "deletes another pod", method: "DELETE", path: `${pods}/other`, ...node },
      post("creates a pod", pods, pod("new", {}, { nodeName: "n1" }), node),
      post(
        "registers another node",
        "/api/v1/nodes?dryRun=All",
        { apiVersion: "v1", kind: "Node", metadata: { name: "n2" } },
        node,
      ),
      post(
        "registers with a foreign label",
        "/api/v1/nodes?dryRun=All",
        { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { "node-role.kubernetes.io/x": "" } } },
        node,
      ),
      post(
        "takes another lease",
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases?dryRun=All",
        { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "n2" } },
        node,
      ),
      post(
        "takes its lease",
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases?dryRun=All",
        { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "n1" } },
        node,
      ),
      { says: "reads config maps", method: "GET", path: "/api/v1/configmaps", ...node },
    ],
  },
];

const binding = (name: string, target: unknown) => ({ apiVersion: "v1", kind: "Binding", metadata: { name }, target });
const eviction = (name: string) => ({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name } });
const subresources: Scenario[] = [
  {
    name: "binding",
    steps: [
      post("a pod", pods, pod("a", {}, { schedulerName: "nobody" })),
      post("to nothing", `${pods}/a/binding`, binding("a", { kind: "Node" })),
      post("to a pod", `${pods}/a/binding`, binding("a", { kind: "Pod", name: "x" })),
      post("another name", `${pods}/a/binding`, binding("b", { kind: "Node", name: "n1" })),
      post("what is not there", `${pods}/b/binding`, binding("b", { kind: "Node", name: "n1" })),
      post("to a node", `${pods}/a/binding`, binding("a", { kind: "Node", name: "n1" })),
      post("again", `${pods}/a/binding`, binding("a", { kind: "Node", name: "n2" })),
      { says: "the pod", method: "GET", path: `${pods}/a` },
    ],
  },
  {
    name: "eviction",
    steps: [
      post("what is not there", `${pods}/a/eviction`, eviction("a")),
      post("a pod", pods, pod("a", {}, { nodeName: "n1" }, { labels: { app: "x" } })),
      {
        says: "it runs",
        method: "PATCH",
        path: `${pods}/a/status`,
        type: merge,
        body: { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
      },
      post("a budget", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "b" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "x" } } },
      }),
      {
        says: "none may go",
        codeOnly: true,
        method: "PATCH",
        path: "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/b/status",
        type: merge,
        body: {
          status: {
            observedGeneration: 1,
            disruptionsAllowed: 0,
            currentHealthy: 1,
            desiredHealthy: 1,
            expectedPods: 1,
          },
        },
      },
      post("evict", `${pods}/a/eviction`, eviction("a")),
      post("evict by the older version", `${pods}/a/eviction`, { ...eviction("a"), apiVersion: "policy/v1beta1" }),
      post("another name", `${pods}/a/eviction`, eviction("b")),
      post("a second budget", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "c" },
        spec: { minAvailable: 0, selector: {} },
      }),
      post("with two budgets", `${pods}/a/eviction`, eviction("a")),
    ],
  },
  {
    name: "scale",
    steps: [
      post("a deployment", deployments, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "d" },
        spec: {
          paused: true,
          replicas: 2,
          selector: { matchLabels: { a: "b" }, matchExpressions: [{ key: "c", operator: "Exists" }] },
          template: { metadata: { labels: { a: "b", c: "d" } }, spec: pod("x").spec },
        },
      }),
      { says: "how many", method: "GET", path: `${deployments}/d/scale` },
      { says: "four", method: "PATCH", path: `${deployments}/d/scale`, type: merge, body: { spec: { replicas: 4 } } },
      {
        says: "minus one",
        method: "PATCH",
        path: `${deployments}/d/scale`,
        type: merge,
        body: { spec: { replicas: -1 } },
      },
      {
        says: "none",
        method: "PUT",
        path: `${deployments}/d/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "d" }, spec: { replicas: 0 } },
      },
      {
        says: "another name",
        method: "PUT",
        path: `${deployments}/d/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "e" }, spec: {} },
      },
      { says: "not there", method: "GET", path: `${deployments}/e/scale` },
      {
        says: "a stale version",
        method: "PUT",
        path: `${deployments}/d/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "d", resourceVersion: "1" }, spec: {} },
      },
    ],
  },
  {
    name: "tokens",
    steps: [
      post("of nobody", "/api/v1/namespaces/{ns}/serviceaccounts/nobody/token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {},
      }),
      post("too short", "/api/v1/namespaces/{ns}/serviceaccounts/default/token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 5 },
      }),
      post("plain", "/api/v1/namespaces/{ns}/serviceaccounts/default/token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {},
      }),
      post("bound to nothing", "/api/v1/namespaces/{ns}/serviceaccounts/default/token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "x" } },
      }),
      post("bound to a map", "/api/v1/namespaces/{ns}/serviceaccounts/default/token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { boundObjectRef: { apiVersion: "v1", kind: "ConfigMap", name: "x" } },
      }),
      post("review of nonsense", "/apis/authentication.k8s.io/v1/tokenreviews", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token: "nonsense" },
      }),
    ],
  },
  {
    name: "parts of pods",
    steps: [
      post("a pod", pods, pod("a", limits)),
      {
        says: "a container to look around",
        method: "PATCH",
        path: `${pods}/a/ephemeralcontainers`,
        type: "application/strategic-merge-patch+json",
        body: { spec: { ephemeralContainers: [{ name: "e", image: "b:1" }] } },
      },
      {
        says: "is changed",
        method: "PATCH",
        path: `${pods}/a/ephemeralcontainers`,
        type: "application/strategic-merge-patch+json",
        body: { spec: { ephemeralContainers: [{ name: "e", image: "b:2" }] } },
      },
      {
        says: "with a probe",
        method: "PATCH",
        path: `${pods}/a/ephemeralcontainers`,
        type: "application/strategic-merge-patch+json",
        body: { spec: { ephemeralContainers: [{ name: "f", image: "b:2", ports: [{ containerPort: 1 }] }] } },
      },
      {
        says: "more memory",
        method: "PATCH",
        path: `${pods}/a/resize`,
        type: "application/strategic-merge-patch+json",
        body: {
          spec: {
            containers: [{ name: "c", resources: { requests: { memory: "15Mi" }, limits: { memory: "30Mi" } } }],
          },
        },
      },
      {
        says: "another image",
        method: "PATCH",
        path: `${pods}/a/resize`,
        type: "application/strategic-merge-patch+json",
        body: { spec: { containers: [{ name: "c", image: "c:1" }] } },
      },
      {
        says: "another class",
        method: "PATCH",
        path: `${pods}/a/resize`,
        type: "application/strategic-merge-patch+json",
        body: { spec: { containers: [{ name: "c", resources: { requests: { memory: "30Mi", cpu: "200m" } } }] } },
      },
    ],
  },
  {
    name: "namespaces",
    steps: [
      {
        says: "finalizers by the main path",
        method: "PATCH",
        path: "/api/v1/namespaces/{ns}",
        type: merge,
        body: { spec: { finalizers: ["a/b"] } },
      },
      {
        says: "finalize with nonsense",
        method: "PUT",
        path: "/api/v1/namespaces/{ns}/finalize",
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "{ns}" }, spec: { finalizers: ["nonsense"] } },
      },
      { says: "delete default", method: "DELETE", path: "/api/v1/namespaces/default" },
      post("in no namespace", "/api/v1/namespaces/nope/configmaps", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "a" },
      }),
      post("something that stays", "/api/v1/namespaces/{ns}/configmaps", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "a", finalizers: ["a/b"] },
      }),
      { says: "delete it", method: "DELETE", path: "/api/v1/namespaces/{ns}" },
      post("in a namespace that goes", "/api/v1/namespaces/{ns}/configmaps", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "b" },
      }),
      {
        says: "let go",
        method: "PATCH",
        path: "/api/v1/namespaces/{ns}/configmaps/a",
        type: merge,
        body: { metadata: { finalizers: null } },
      },
    ],
  },
];

export const scenarios: readonly Scenario[] = [
  ...podSecurity,
  ...quotas,
  ...limitRanges,
  ...authorization,
  ...nodes,
  ...subresources,
  ...customResources,
];
