import { type Pod, Quantity } from "@dhow/kube";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** The quality of service that follows from requests and limits of processor and memory (pkg/apis/core/v1/helper/qos/qos.go). */
export function qosClass(pod: Pod): QosClass {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const isSet = (value: string | undefined) => value !== undefined && !Quantity.parse(value).isZero();
  let any = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of ["cpu", "memory"]) {
      const request = resources?.requests?.[name];
      const limit = resources?.limits?.[name];
      if (isSet(request) || isSet(limit)) any = true;
      if (
        !isSet(limit) ||
        (isSet(request) && Quantity.parse(request ?? "0").compare(Quantity.parse(limit ?? "0")) !== 0)
      ) {
        guaranteed = false;
      }
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}
