import type { Container, PodSpec } from "@dhow/kube";
import { quantity } from "../validation/quantities.ts";

/** Amounts of resources by name, such as `{ cpu: "100m" }`. */
export type Amounts = Record<string, string>;

/** What a pod asks for in all: its containers together, or its greediest moment while it starts (component-helpers/resource/helpers.go). */
export function podRequests(spec: PodSpec): Amounts {
  return total(spec, "requests");
}

export function podLimits(spec: PodSpec): Amounts {
  return total(spec, "limits");
}

function total(spec: PodSpec, kind: "requests" | "limits"): Amounts {
  const amounts: Amounts = {};
  for (const container of spec.containers ?? []) add(amounts, container.resources?.[kind] ?? {});
  const sidecars: Amounts = {};
  const start: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[kind] ?? {};
    if (isSidecar(container)) {
      add(amounts, own);
      add(sidecars, own);
      raise(start, sidecars);
    } else {
      const moment = { ...sidecars };
      add(moment, own);
      raise(start, moment);
    }
  }
  raise(amounts, start);
  for (const [name, amount] of Object.entries(spec.resources?.[kind] ?? {})) {
    if (name === "cpu" || name === "memory") amounts[name] = amount;
  }
  if (kind === "requests") add(amounts, spec.overhead ?? {});
  return amounts;
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

export function add(amounts: Amounts, more: Readonly<Amounts>): void {
  for (const [name, amount] of Object.entries(more)) {
    const before = amounts[name];
    amounts[name] = before === undefined ? amount : quantity(before).add(quantity(amount)).toString();
  }
}

function raise(amounts: Amounts, others: Readonly<Amounts>): void {
  for (const [name, amount] of Object.entries(others)) {
    const before = amounts[name];
    if (before === undefined || quantity(amount).compare(quantity(before)) > 0) amounts[name] = amount;
  }
}
