import type { PodSpec } from "@dhow/kube";
import { compareQuantities } from "../../validation/quantities.ts";

const compute = ["cpu", "memory"] as const;

/** A pod's class of service, by what its containers ask for (pkg/apis/core/v1/helper/qos/qos.go). */
export function qualityOfService(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  if (hasAny(spec.resources)) return isGuaranteed(spec.resources) ? "Guaranteed" : "Burstable";
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  if (!containers.some((container) => hasAny(container.resources))) return "BestEffort";
  return containers.every((container) => isGuaranteed(container.resources)) ? "Guaranteed" : "Burstable";
}

type Requirements = PodSpec["resources"];

function positive(quantity: string | undefined): boolean {
  return quantity !== undefined && compareQuantities(quantity, "0") > 0;
}

function hasAny(resources: Requirements): boolean {
  return compute.some((name) => positive(resources?.requests?.[name]) || positive(resources?.limits?.[name]));
}

function isGuaranteed(resources: Requirements): boolean {
  return compute.every((name) => {
    const limit = resources?.limits?.[name];
    const request = resources?.requests?.[name] ?? limit;
    return positive(limit) && limit !== undefined && request !== undefined && compareQuantities(limit, request) === 0;
  });
}
