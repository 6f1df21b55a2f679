import type { KubeObject } from "@dhow/kube";

/** One request: an apply, or a write of another kind whose outcome is stored. */
export interface Step {
  readonly title: string;
  readonly manager: string;
  readonly apply?: Record<string, unknown>;
  readonly force?: boolean;
  readonly merge?: unknown;
  readonly json?: unknown;
  readonly create?: Record<string, unknown>;
  readonly put?: (current: KubeObject) => KubeObject;
  readonly subresource?: string;
}

export interface Scenario {
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly steps: readonly Step[];
}

const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more });
const template = (spec: object, metadata: object = {}) => ({ metadata, template: { spec } });

const csa = (replicas: string) => ({
  metadata: {
    annotations: {
      "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { annotations: {}, name: "object" },
        data: { replicas, image: "a" },
      }),
    },
  },
  data: { replicas, image: "a" },
});

export const scenarios: readonly Scenario[] = [
  {
    name: "maps",
    apiVersion: "v1",
    kind: "ConfigMap",
    steps: [
      {
        title: "created by apply",
        manager: "a",
        apply: { data: { x: "1", y: "1" }, metadata: { labels: { l: "1" } } },
      },
      { title: "the same again", manager: "a", apply: { data: { x: "1", y: "1" }, metadata: { labels: { l: "1" } } } },
      { title: "another owns one as well", manager: "b", apply: { data: { y: "1", z: "1" } } },
      { title: "a third owns what is there, nothing changes", manager: "c", apply: { data: { z: "1" } } },
      { title: "the first lets go of a shared one", manager: "a", apply: { data: { x: "1" } } },
      { title: "the last owner lets go", manager: "b", apply: { data: { z: "1" } } },
      { title: "a conflict", manager: "b", apply: { data: { z: "1", x: "2" } } },
      { title: "forced", manager: "b", force: true, apply: { data: { z: "1", x: "2" } } },
      { title: "the former owner applies what it had", manager: "a", apply: { data: { x: "1" } } },
      { title: "an updater takes over", manager: "editor", merge: { data: { x: "3", w: "1" } } },
      { title: "conflicts with two managers", manager: "a", apply: { data: { x: "4", z: "4", w: "4" } } },
      {
        title: "conflicts with two managers, forced",
        manager: "a",
        force: true,
        apply: { data: { x: "4", z: "4", w: "4" } },
      },
      { title: "an updater removes an applied one", manager: "editor", merge: { data: { x: null } } },
      { title: "an updater removes all", manager: "editor", merge: { data: null } },
      { title: "nothing is applied any more", manager: "a", apply: {} },
    ],
  },
  {
    name: "updates",
    apiVersion: "v1",
    kind: "ConfigMap",
    steps: [
      {
        title: "created by an updater",
        manager: "creator",
        create: { data: { x: "1", y: "1" }, metadata: { labels: { l: "1" } } },
      },
      { title: "applied over it", manager: "a", apply: { data: { x: "2" } } },
      { title: "applied with the same value", manager: "a", apply: { data: { x: "1" } } },
      { title: "the updater writes it again", manager: "creator", merge: { data: { x: "5" } } },
      {
        title: "another updater, by put",
        manager: "putter",
        put: (current) => ({ ...current, data: { y: "2", n: "1" } }),
      },
      { title: "nothing changes", manager: "idle", merge: { data: { y: "2" } } },
      {
        title: "managedFields are reset",
        manager: "reset",
        json: [{ op: "replace", path: "/metadata/managedFields", value: [{}] }],
      },
      { title: "an update without any managers", manager: "later", merge: { data: { q: "1" } } },
      { title: "the first apply after that", manager: "a", apply: { data: { q: "1", r: "1" } } },
    ],
  },
  {
    name: "lists",
    apiVersion: "v1",
    kind: "PodTemplate",
    steps: [
      {
        title: "created by apply",
        manager: "a",
        apply: template(
          {
            containers: [
              container("web", {
                args: ["1"],
                env: [
                  { name: "A", value: "1" },
                  { name: "B", value: "1" },
                ],
                ports: [
                  { containerPort: 80 },
                  { containerPort: 443, name: "https" },
                  { containerPort: 80, protocol: "UDP" },
                ],
                resources: { limits: { cpu: "1", memory: "1Gi" } },
              }),
              container("side"),
            ],
            nodeSelector: { disk: "ssd" },
            tolerations: [{ key: "k", operator: "Exists" }],
          },
          { labels: { l: "1" }, finalizers: ["a.b/c"] },
        ),
      },
      {
        title: "another adds an item",
        manager: "b",
        apply: template({ containers: [container("more")] }, { finalizers: ["d.e/f"] }),
      },
      {
        title: "another changes a part of an item",
        manager: "b",
        apply: template(
          { containers: [container("more"), { name: "web", env: [{ name: "C", value: "1" }] }] },
          { finalizers: ["d.e/f"] },
        ),
      },
      {
        title: "an atomic list conflicts as a whole",
        manager: "b",
        apply: template({ containers: [container("more"), { name: "web", args: ["2"] }] }),
      },
      {
        title: "an atomic map conflicts as a whole",
        manager: "b",
        apply: template({ containers: [container("more")], nodeSelector: { zone: "a" } }),
      },
      {
        title: "an image conflicts",
        manager: "b",
        apply: template({ containers: [container("more"), { name: "web", image: "web:2" }] }),
      },
      {
        title: "fields, items and an order change",
        manager: "a",
        apply: template({
          containers: [
            container("side"),
            container("web", {
              env: [{ name: "B", value: "2" }],
              ports: [{ containerPort: 443, name: "tls" }],
              resources: { limits: { cpu: "1" } },
            }),
          ],
        }),
      },
      { title: "an item goes", manager: "a", apply: template({ containers: [container("web")] }) },
      {
        title: "an updater renames the image",
        manager: "editor",
        json: [{ op: "replace", path: "/template/spec/containers/0/image", value: "web:9" }],
      },
      { title: "forced back", manager: "a", force: true, apply: template({ containers: [container("web")] }) },
      {
        title: "the other lets go of its item",
        manager: "b",
        apply: template({ containers: [{ name: "web", env: [] }] }),
      },
      {
        title: "null, empty map, empty list",
        manager: "b",
        apply: template({
          containers: [{ name: "web", command: null, ports: [] }],
          nodeSelector: {},
          volumes: [],
          securityContext: {},
        }),
      },
      { title: "finalizers are removed by an updater", manager: "editor", merge: { metadata: { finalizers: null } } },
    ],
  },
  {
    name: "service",
    apiVersion: "v1",
    kind: "Service",
    steps: [
      {
        title: "created by apply",
        manager: "a",
        apply: {
          spec: {
            selector: { app: "a" },
            ports: [
              { port: 80, name: "http" },
              { port: 53, protocol: "UDP", name: "dns" },
            ],
          },
        },
      },
      {
        title: "the target of one",
        manager: "b",
        apply: { spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 8080 }] } },
      },
      {
        title: "the target of one, forced",
        manager: "b",
        force: true,
        apply: { spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 8080 }] } },
      },
      {
        title: "a port goes",
        manager: "a",
        apply: { spec: { selector: { app: "a" }, ports: [{ port: 80, name: "http" }] } },
      },
      { title: "the selector is atomic", manager: "b", apply: { spec: { selector: { tier: "b" } } } },
    ],
  },
  {
    name: "kubectl from client-side to server-side",
    apiVersion: "v1",
    kind: "ConfigMap",
    steps: [
      { title: "created on the client's side", manager: "kubectl-client-side-apply", create: csa("1") },
      { title: "someone else with other values", manager: "other", apply: { data: { replicas: "2" } } },
      { title: "kubectl may take over", manager: "kubectl", apply: { data: { replicas: "2", image: "<a&b>" } } },
      { title: "and goes on", manager: "kubectl", apply: { data: { replicas: "3" } } },
      { title: "an editor changes it", manager: "kubectl-edit", merge: { data: { replicas: "4" } } },
      { title: "kubectl conflicts with the editor", manager: "kubectl", apply: { data: { replicas: "3" } } },
    ],
  },
  {
    name: "many updaters",
    apiVersion: "v1",
    kind: "ConfigMap",
    steps: [
      { title: "created", manager: "updater-0", create: { data: { k0: "0" } } },
      ...Array.from({ length: 12 }, (_, at) => ({
        title: `updater ${at + 1}`,
        manager: `updater-${at + 1}`,
        merge: { data: { [`k${at + 1}`]: "1" } },
      })),
      { title: "an applier", manager: "a", apply: { data: { k0: "0" } } },
    ],
  },
  {
    name: "status",
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    steps: [
      {
        title: "created by apply",
        manager: "a",
        apply: {
          spec: { ingressClassName: "nginx", defaultBackend: { service: { name: "x", port: { number: 80 } } } },
          status: { loadBalancer: { ingress: [{ ip: "10.0.0.9" }] } },
        },
      },
      {
        title: "status by an updater",
        manager: "controller",
        subresource: "status",
        merge: { status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } }, spec: { ingressClassName: "other" } },
      },
      {
        title: "status by apply",
        manager: "a",
        subresource: "status",
        apply: { status: { loadBalancer: { ingress: [{ ip: "10.0.0.2" }] } } },
      },
      {
        title: "status by apply, forced",
        manager: "a",
        subresource: "status",
        force: true,
        apply: { status: { loadBalancer: { ingress: [{ ip: "10.0.0.2" }] } } },
      },
      {
        title: "the object by apply",
        manager: "a",
        apply: {
          spec: { ingressClassName: "nginx", defaultBackend: { service: { name: "y", port: { number: 80 } } } },
        },
      },
      {
        title: "rules are atomic",
        manager: "b",
        apply: {
          spec: {
            rules: [
              {
                host: "a.b",
                http: {
                  paths: [
                    { path: "/", pathType: "Prefix", backend: { service: { name: "z", port: { name: "http" } } } },
                  ],
                },
              },
            ],
          },
        },
      },
    ],
  },
  {
    name: "refused",
    apiVersion: "v1",
    kind: "PodTemplate",
    steps: [
      { title: "created", manager: "a", apply: template({ containers: [container("web")] }) },
      { title: "an unknown field", manager: "a", apply: { nonsense: 1 } },
      {
        title: "an unknown field further down",
        manager: "a",
        apply: template({ containers: [container("web", { nonsense: { x: 1 } })] }),
      },
      { title: "a number for a text", manager: "a", apply: template({ containers: [{ name: "web", image: 5 }] }) },
      {
        title: "a text for a number",
        manager: "a",
        apply: template({ containers: [], terminationGracePeriodSeconds: "5" }),
      },
      { title: "a text for a boolean", manager: "a", apply: template({ containers: [], hostNetwork: "yes" }) },
      { title: "a text for a list", manager: "a", apply: template({ containers: "web" }) },
      { title: "a list for a map", manager: "a", apply: { template: [] } },
      { title: "an item twice", manager: "a", apply: template({ containers: [container("web"), container("web")] }) },
      { title: "an item without its key", manager: "a", apply: template({ containers: [{ image: "x" }] }) },
      {
        title: "a finalizer twice",
        manager: "a",
        apply: template({ containers: [container("web")] }, { finalizers: ["a.b/c", "a.b/c"] }),
      },
      {
        title: "two faults",
        manager: "a",
        apply: template({
          containers: [
            { name: "web", image: 5 },
            { name: "side", image: 6 },
          ],
        }),
      },
      {
        title: "managedFields",
        manager: "a",
        apply: template({ containers: [container("web")] }, { managedFields: [{ manager: "x" }] }),
      },
      {
        title: "no managedFields, said so",
        manager: "a",
        apply: template({ containers: [container("web")] }, { managedFields: [] }),
      },
      {
        title: "a text for a quantity's map",
        manager: "a",
        apply: template({ containers: [container("web", { resources: { limits: { cpu: { x: 1 } } } })] }),
      },
    ],
  },
  {
    name: "raw",
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    steps: [
      { title: "created", manager: "a", create: { revision: 1, data: { spec: { x: 1, list: [1] } } } },
      { title: "applied by another", manager: "c", apply: { data: { spec: { x: 2 } } } },
    ],
  },
];
