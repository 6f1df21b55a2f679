import type {
  Deployment,
  KubeObject,
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyPort,
  PodDisruptionBudget,
  Service,
  ServiceAccount,
} from "@dhow/kube";
import { type Context, portOf, type Workload } from "./context.ts";
import { metadata, selectorOf } from "./metadata.ts";
import { podTemplate, type PodShape } from "./pod.ts";

export interface WorkloadShape extends PodShape {
  readonly replicas: number;
  readonly nodePort: number | undefined;
  /** How a person signs in to its page; shown beside its address. */
  readonly signIn?: string;
  /** `Recreate` where two at a time would share what cannot be shared. */
  readonly strategy: "RollingUpdate" | "Recreate";
  /** Whether its pods may call out of the cluster. */
  readonly internet: boolean;
}

/** The objects that every workload becomes, whatever it is. */
export function workloadObjects(context: Context, workload: Workload, shape: WorkloadShape): KubeObject[] {
  return [
    serviceAccount(context, workload),
    networkPolicy(context, workload, shape),
    serviceOf(context, workload, shape),
    deployment(context, workload, shape),
    ...(shape.replicas > 1 ? [disruptionBudget(context, workload)] : []),
  ];
}

function serviceAccount(context: Context, workload: Workload): ServiceAccount {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadata(context, workload.name),
    automountServiceAccountToken: false,
  };
}

function serviceOf(context: Context, workload: Workload, shape: WorkloadShape): Service {
  const nodePort = shape.nodePort;
  const meta = metadata(context, workload.name);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: shape.signIn === undefined ? meta : { ...meta, annotations: { "dhow.dev/sign-in": shape.signIn } },
    spec: {
      type: nodePort === undefined ? "ClusterIP" : "NodePort",
      selector: selectorOf(workload.name),
      ports: [
        {
          name: "main",
          port: shape.port,
          targetPort: "main",
          protocol: "TCP",
          ...(nodePort !== undefined && { nodePort }),
        },
      ],
    },
  };
}

function deployment(context: Context, workload: Workload, shape: WorkloadShape): Deployment {
  const { system, environment } = context;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      ...metadata(context, workload.name),
      // What `kubectl rollout history` says of a revision.
      annotations: { "kubernetes.io/change-cause": `${system.name} ${environment.version}` },
    },
    spec: {
      replicas: shape.replicas,
      revisionHistoryLimit: 10,
      selector: { matchLabels: selectorOf(workload.name) },
      strategy:
        shape.strategy === "Recreate"
          ? { type: "Recreate" }
          : { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
      template: podTemplate(context, workload, shape),
    },
  };
}

function disruptionBudget(context: Context, workload: Workload): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadata(context, workload.name),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(workload.name) } },
  };
}

/** Lets in who calls it and lets out to whom it calls, as the call graph says; what leads in from outside is open to everybody. */
function networkPolicy(context: Context, workload: Workload, shape: WorkloadShape): NetworkPolicy {
  const peerOf = (other: Workload) => ({ podSelector: { matchLabels: selectorOf(other.name) } });
  const port = (number: number): NetworkPolicyPort => ({ port: number, protocol: "TCP" });
  const callers = context.callers(workload);
  const ingress = context.isEntry(workload)
    ? [{ ports: [port(shape.port)] }]
    : callers.length > 0
      ? [{ from: callers.map(peerOf), ports: [port(shape.port)] }]
      : [];
  const callees = context.callees(workload).map((other) => ({ to: [peerOf(other)], ports: [port(portOf(other))] }));
  // Everywhere but private addresses, where the cluster and its neighbours are (RFC 1918).
  const outside = {
    to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] } }],
  };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(context, workload.name),
    spec: {
      podSelector: { matchLabels: selectorOf(workload.name) },
      policyTypes: ["Ingress", "Egress"],
      ingress,
      egress: [nameResolution, ...callees, ...(shape.internet ? [outside] : [])],
    },
  };
}

const nameResolution: NetworkPolicyEgressRule = {
  to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
  ports: [
    { port: 53, protocol: "UDP" },
    { port: 53, protocol: "TCP" },
  ],
};
