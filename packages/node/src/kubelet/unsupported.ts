import type { Container, Pod } from "@dhow/kube";
import { StartFailure } from "./start-failure.ts";

interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What a pod may ask of a node that this one has not to give. */
function* refusals({ spec }: Pod, container: Container): Generator<Refusal> {
  const own = "every pod has a network of its own here";
  if (spec.hostNetwork) {
    yield {
      reason: "HostNetworkNotSupported",
      message: `hostNetwork is not supported: ${own}. Leave it out, and use a Service`,
    };
  }
  if (spec.hostPID) {
    yield {
      reason: "HostPIDNotSupported",
      message: "hostPID is not supported: a pod sees its own processes only. Leave it out",
    };
  }
  if (spec.hostIPC) {
    yield {
      reason: "HostIPCNotSupported",
      message: "hostIPC is not supported. Leave it out, and share files in an emptyDir",
    };
  }
  if (container.securityContext?.privileged) {
    const message =
      "privileged is not supported: no container has rights over this machine. Leave securityContext.privileged out";
    yield { reason: "PrivilegedNotSupported", message };
  }
  const port = container.ports?.find(({ hostPort }) => (hostPort ?? 0) > 0)?.hostPort;
  if (port !== undefined) {
    const message = `hostPort ${port} is not supported: ${own}. Use a Service of type NodePort or LoadBalancer`;
    yield { reason: "HostPortNotSupported", message };
  }
}

/**
 * Throws where a container would not get what it asks for: it must not run as if it had got it. It waits, and says why. A real
 * kubelet ends pods that it does not admit as Failed; but whoever made such a pod makes the next one at once, and so on without end.
 */
export function refuseUnsupported(pod: Pod, container: Container): void {
  for (const { reason, message } of refusals(pod, container)) throw new StartFailure(reason, message);
}
