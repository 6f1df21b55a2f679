import {
  type Affinity,
  type Container,
  type EnvVar,
  type PodTemplateSpec,
  type Probe,
  Quantity,
  type ResourceRequirements,
} from "@dhow/kube";
import type { Resources } from "@dhow/model";
import type { Context, Workload } from "./context.ts";
import { metadata, selectorOf } from "./metadata.ts";

/** What differs between the pods of one kind of workload and another. */
export interface PodShape {
  readonly image: string;
  readonly port: number;
  readonly env: readonly EnvVar[];
  readonly resources: Resources | undefined;
  readonly liveness: Probe;
  readonly readiness: Probe;
  /** The user and group it runs as; never 0. */
  readonly user: number;
  /** Folders that are fresh at every start, /tmp aside. */
  readonly writable: readonly string[];
  /** Folders that are on a volume: path → claim. */
  readonly claims: Readonly<Record<string, string>>;
  readonly graceSeconds: number;
  /** Whether no second of its pods may be there while one ends still, whatever made it end: `Recreate` holds for roll-outs alone. */
  readonly alone: boolean;
}

/** What a pod asks for and may use where the description says nothing: little enough for eight of them on a laptop. */
const defaultResources: Required<Resources> = {
  requests: { cpu: "100m", memory: "128Mi" },
  limits: { cpu: "500m", memory: "512Mi" },
};

/** What the description says, and for the rest the defaults, as long as no request is above its limit, which Kubernetes refuses. */
export function resourcesOf(
  resources: Resources | undefined,
): ResourceRequirements & { requests: Record<string, string>; limits: Record<string, string> } {
  const requests: Record<string, string> = { ...defaultResources.requests, ...resources?.requests };
  const limits: Record<string, string> = { ...defaultResources.limits, ...resources?.limits };
  for (const name of ["cpu", "memory"] as const) {
    const [request = "", limit = ""] = [requests[name], limits[name]];
    if (Quantity.parse(request).compare(Quantity.parse(limit)) <= 0) continue;
    if (resources?.requests?.[name] === undefined) requests[name] = limit;
    else if (resources.limits?.[name] === undefined) limits[name] = request;
  }
  return { requests, limits };
}

/** A pod that passes the Pod Security Standard `restricted`, spreads over nodes and zones, and leaves without losing a request. */
export function podTemplate(context: Context, workload: Workload, shape: PodShape): PodTemplateSpec {
  const { labels } = metadata(context, workload.name);
  const folders = Object.fromEntries(["/tmp", ...shape.writable].map((path) => [path, volumeName(path)]));
  return {
    metadata: { labels: { ...labels } },
    spec: {
      serviceAccountName: workload.name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: shape.graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: shape.user,
        runAsGroup: shape.user,
        fsGroup: shape.user,
        seccompProfile: { type: "RuntimeDefault" },
      },
      topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: selectorOf(workload.name) },
      })),
      ...(shape.alone && { affinity: onlyOne(workload) }),
      containers: [container(context, workload, shape, folders)],
      volumes: [
        ...Object.values(folders).map((name) => ({ name, emptyDir: {} })),
        ...Object.values(shape.claims).map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
      ],
    },
  };
}

/** All nodes that can run it are one place under this key, and a pod that is being deleted counts for as long as it is there. */
function onlyOne(workload: Workload): Affinity {
  const term = { labelSelector: { matchLabels: selectorOf(workload.name) }, topologyKey: "kubernetes.io/os" };
  return { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
}

function container(context: Context, workload: Workload, shape: PodShape, folders: Record<string, string>): Container {
  return {
    name: workload.name,
    image: shape.image,
    ports: [{ name: "main", containerPort: shape.port, protocol: "TCP" }],
    env: [...shape.env],
    resources: resourcesOf(shape.resources),
    livenessProbe: shape.liveness,
    readinessProbe: shape.readiness,
    // Removal from the endpoints and SIGTERM happen at the same time, so the program goes on for as long as others may not have heard.
    lifecycle: { preStop: { sleep: { seconds: context.environment.development ? 1 : 5 } } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    volumeMounts: Object.entries({ ...folders, ...shape.claims }).map(([mountPath, name]) => ({ name, mountPath })),
  };
}

/** `/var/run/postgresql` → `var-run-postgresql`. */
function volumeName(path: string): string {
  return path
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
