import type { Container, Pod } from "@dhow/kube";
import { milliValue, quantityValue } from "../quantities.ts";

/** Amounts by resource name: cpu in thousandths, everything else in its own unit. */
export type Amounts = Record<string, number>;

export function amountOf(resource: string, quantity: string | undefined): number {
  return resource === "cpu" ? milliValue(quantity) : quantityValue(quantity);
}

export function amounts(list: Readonly<Record<string, string>> | undefined): Amounts {
  const result: Amounts = {};
  for (const [resource, quantity] of Object.entries(list ?? {})) result[resource] = amountOf(resource, quantity);
  return result;
}

export function addAmounts(into: Amounts, more: Amounts, sign = 1): Amounts {
  for (const [resource, amount] of Object.entries(more)) into[resource] = (into[resource] ?? 0) + sign * amount;
  return into;
}

function largest(a: Amounts, b: Amounts): Amounts {
  const result = { ...a };
  for (const [resource, amount] of Object.entries(b)) result[resource] = Math.max(result[resource] ?? 0, amount);
  return result;
}

/** What counts in scores for a container that asks for nothing (pkg/scheduler/util/pod_resources.go). */
const assumed: Amounts = { cpu: 100, memory: 200 * 1024 * 1024 };

function sum(containers: readonly Container[], requestsOf: (container: Container) => Amounts): Amounts {
  return containers.reduce((total, container) => addAmounts(total, requestsOf(container)), {} as Amounts);
}

function total(pod: Pod, requestsOf: (container: Container) => Amounts): Amounts {
  const running = sum(pod.spec.containers, requestsOf);
  // Init containers run one after the other; sidecars among them stay and add up.
  const sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const container of pod.spec.initContainers ?? []) {
    const own = requestsOf(container);
    if (container.restartPolicy === "Always") {
      addAmounts(sidecars, own);
      peak = largest(peak, sidecars);
    } else peak = largest(peak, addAmounts({ ...own }, sidecars));
  }
  const result = largest(addAmounts(running, sidecars), peak);
  return result;
}

/** A pod's own amounts, where it has some, stand for those of its containers; overhead comes on top. */
function ofPod(pod: Pod, containers: Amounts, own: Readonly<Record<string, string>> | undefined): Amounts {
  return addAmounts({ ...containers, ...amounts(own) }, amounts(pod.spec.overhead));
}

/** What a pod asks of its node: its containers together, or its init containers where one of them needs more, and overhead (component-helpers/resource, PodRequests). */
export function podRequests(pod: Pod): Amounts {
  const containers = total(pod, (container) => amounts(container.resources?.requests));
  return ofPod(pod, containers, pod.spec.resources?.requests);
}

/** As {@link podRequests}, with something for containers that ask for nothing, so that they are spread too. */
export function podRequestsForScores(pod: Pod): Amounts {
  const containers = total(pod, (container) => ({ ...assumed, ...amounts(container.resources?.requests) }));
  return ofPod(pod, containers, pod.spec.resources?.requests);
}

/** What a pod may use at most, where it says so. */
export function podLimits(pod: Pod): Amounts {
  const containers = total(pod, (container) => amounts(container.resources?.limits));
  return ofPod(pod, containers, pod.spec.resources?.limits);
}
