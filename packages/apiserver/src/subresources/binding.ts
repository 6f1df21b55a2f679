import type { Clock } from "@dhow/base";
import {
  badRequest,
  type Binding,
  conflict,
  type KubeObject,
  type Node,
  notFound,
  type Pod,
  StatusError,
  timestamp,
} from "@dhow/kube";
import type { Store } from "../store.ts";

export interface BindingContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly namespace: string | undefined;
  /** The pod's name. */
  readonly name: string;
  readonly dryRun: boolean;
}

/** Labels of a node that its pods get, for those who look at pods only (plugin/pkg/admission/podtopologylabels). */
const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** Gives a pod its node, once (setPodNodeAndMetadata in pkg/registry/core/pod/storage/storage.go). */
export async function bindPod(binding: Binding, context: BindingContext): Promise<KubeObject> {
  const { dryRun, name, namespace, store } = context;
  if (binding.metadata.name !== name) throw badRequest("name in URL does not match name in Binding object");
  const { kind, name: node } = binding.target ?? {};
  if (kind && kind !== "Node") {
    throw unsound(`target.kind: Unsupported value: "${kind}": supported values: "Node", "<empty>"`);
  }
  if (!node) throw unsound("target.name: Required value");
  const pod = store.get<Pod>("pods", namespace, name);
  if (!pod) throw notFound("pods", name);
  if (dryRun) bound(pod, binding, node, context);
  else await store.modify("pods", namespace, name, (current) => bound(current as Pod, binding, node, context));
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}

/** What is wrong with a binding is told as a failure of the server (BindingREST.Create gives a plain error). */
function unsound(message: string): StatusError {
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}

function bound(pod: Pod, binding: Binding, node: string, { clock, name, store }: BindingContext): Pod {
  const refuse = (message: string) => conflict("pods/binding", name, message);
  const { uid, resourceVersion } = binding.metadata;
  if (uid && uid !== pod.metadata.uid) {
    throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
  }
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) throw refuse("the object has been modified");
  if (pod.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const { annotations } = binding.metadata;
  const labels = { ...labelsOf(store.get<Node>("nodes", undefined, node)), ...binding.metadata.labels };
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations ? { annotations: { ...pod.metadata.annotations, ...annotations } } : {}),
      ...(Object.keys(labels).length > 0 ? { labels: { ...pod.metadata.labels, ...labels } } : {}),
    },
    spec: { ...pod.spec, nodeName: node },
    status: { ...status, conditions: scheduled(status.conditions ?? [], timestamp(clock.now())) },
  };
}

function labelsOf(node: Node | undefined): Record<string, string> {
  const labels = node?.metadata.labels ?? {};
  return Object.fromEntries(Object.entries(labels).filter(([key]) => topologyLabels.includes(key)));
}

type Conditions = NonNullable<NonNullable<Pod["status"]>["conditions"]>;

function scheduled(conditions: Conditions, now: string): Conditions {
  const others = conditions.filter((condition) => condition.type !== "PodScheduled");
  const neverProbed = { lastProbeTime: null } as object;
  return [...others, { ...neverProbed, type: "PodScheduled", status: "True", lastTransitionTime: now }];
}
