import { badRequest, notFound, type Pod } from "@dhow/kube";
import type { Call } from "../../registry/call.ts";
import type { Store } from "../../store.ts";

/** The pod that a call is about. Throws 404. */
export function podOf(store: Store, call: Pick<Call, "namespace" | "name">): Pod {
  const pod = store.get<Pod>("pods", call.namespace, call.name);
  if (!pod) throw notFound("pods", call.name);
  return pod;
}

/** Which container is meant where none is named, and whether a named one exists (pkg/registry/core/pod/strategy.go). */
export function containerOf(pod: Pod, wanted: string): string {
  const containers = namesOf(pod.spec?.containers);
  const initContainers = namesOf(pod.spec?.initContainers);
  const ephemeralContainers = namesOf(pod.spec?.ephemeralContainers);
  const name = pod.metadata.name ?? "";
  if (wanted !== "") {
    if ([...containers, ...initContainers, ...ephemeralContainers].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  let message = `a container name must be specified for pod ${name}`;
  if (containers.length > 0) message += `, choose one of: [${containers.join(" ")}]`;
  if (initContainers.length > 0) message += ` or one of the init containers: [${initContainers.join(" ")}]`;
  if (ephemeralContainers.length > 0) {
    message += ` or one of the ephemeral containers: [${ephemeralContainers.join(" ")}]`;
  }
  throw badRequest(message);
}

function namesOf(containers: readonly { readonly name?: string }[] | undefined): string[] {
  return (containers ?? []).map(({ name = "" }) => name);
}

/** Throws 400 where no node runs the pod yet. */
export function nodeOfPod(pod: Pod): string {
  const node = pod.spec?.nodeName;
  if (!node) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return node;
}
