import type { Deployment, KubeClient, KubeObject, Pod } from "@dhow/kube";
import { startInformer } from "@dhow/kube";
import type { Clock } from "@dhow/base";

/** How far one workload is. */
export interface WorkloadProgress {
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
  /** Whether the newest version is what serves, completely. */
  readonly complete: boolean;
  /** Its pods, newest first. */
  readonly pods: readonly Pod[];
}

export interface WorkloadWatch {
  /** Every workload by name. */
  current(): readonly WorkloadProgress[];
  /** Calls back after every change that the cluster tells of. */
  onChange(callback: () => void): void;
  readonly synced: Promise<void>;
}

/** Follows the Deployments of a namespace that we manage, and their pods. */
export function watchWorkloads(
  client: KubeClient,
  namespace: string,
  clock: Clock,
  signal: AbortSignal,
): WorkloadWatch {
  const labelSelector = "app.kubernetes.io/managed-by=dhow";
  const deployments = startInformer<Deployment>(
    client,
    { apiVersion: "apps/v1", kind: "Deployment", namespace },
    { labelSelector, clock, signal },
  );
  const pods = startInformer<Pod>(
    client,
    { apiVersion: "v1", kind: "Pod", namespace },
    { labelSelector, clock, signal },
  );
  return {
    current: () => deployments.list().map((deployment) => progressOf(deployment, pods.list())),
    onChange(callback) {
      deployments.onChange(callback);
      pods.onChange(callback);
    },
    synced: Promise.all([deployments.synced, pods.synced]).then(() => undefined),
  };
}

/** What `kubectl rollout status` calls done (kubectl/pkg/polymorphichelpers/rollout_status.go), and the pods say so themselves. */
function progressOf(deployment: Deployment, pods: readonly Pod[]): WorkloadProgress {
  const { status = {}, spec } = deployment;
  const name = deployment.metadata.name ?? "";
  const own = pods.filter((pod) => pod.metadata.labels?.["app"] === name).sort(newestFirst);
  const wanted = spec?.replicas ?? 1;
  const ready = own.filter(isReady).length;
  const observed = (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
  const updated = status.updatedReplicas ?? 0;
  const available = status.availableReplicas ?? 0;
  const rolled = updated >= wanted && (status.replicas ?? 0) <= updated && available >= updated;
  return { name, ready, wanted, complete: observed && rolled && ready >= wanted, pods: own };
}

function isReady({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    (status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false)
  );
}

function newestFirst(a: KubeObject, b: KubeObject): number {
  return (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? "");
}
