import type { LimitRange, PersistentVolumeClaim, Pod } from "@dhow/kube";
import type { AdmissionPlugin } from "../admission.ts";
import type { Store } from "../store.ts";
import { sorted } from "../validation/metadata.ts";
import { quantity } from "../validation/quantities.ts";
import { type Amounts, podLimits, podRequests } from "./pod-resources.ts";
import { refuse } from "./refusal.ts";

// plugin/pkg/admission/limitranger/admission.go

type Limit = NonNullable<LimitRange["spec"]>["limits"][number];

/** Fills in what a namespace's LimitRanges say that containers ask for, and refuses what is outside their bounds. */
export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  admit(attributes, store) {
    const { namespace, object, operation, resource, subresource } = attributes;
    if (resource !== "pods" || subresource || operation !== "CREATE") return;
    for (const range of ranges(store, namespace)) fillIn(object as Pod, range);
  },
  validate(attributes, store) {
    const { namespace, object, old, operation, resource, subresource } = attributes;
    const resizes = resource === "pods" && subresource === "resize" && operation === "UPDATE";
    const creates = !subresource && operation === "CREATE" && resource === "pods";
    const claims =
      !subresource && (operation === "CREATE" || operation === "UPDATE") && resource === "persistentvolumeclaims";
    if (!(resizes || creates || claims) || old?.metadata.deletionTimestamp) return;
    for (const range of ranges(store, namespace)) {
      const faults = claims ? claimFaults(object as PersistentVolumeClaim, range) : podFaults(object as Pod, range);
      if (faults.length === 0) continue;
      const [only] = faults;
      throw refuse(attributes, faults.length === 1 && only ? only : `[${[...new Set(faults)].join(", ")}]`);
    }
  },
};

function ranges(store: Store, namespace: string | undefined): readonly LimitRange[] {
  return store.list<LimitRange>("limitranges", namespace);
}

function fillIn(pod: Pod, { spec }: LimitRange): void {
  const limits: Amounts = {};
  const requests: Amounts = {};
  for (const limit of spec?.limits ?? []) {
    if (limit.type !== "Container") continue;
    Object.assign(limits, limit.default);
    Object.assign(requests, limit.defaultRequest);
  }
  const notes: string[] = [];
  for (const kind of ["containers", "initContainers"] as const) {
    for (const container of pod.spec[kind] ?? []) {
      const place = `${kind === "containers" ? "container" : "init container"} ${container.name}`;
      const resources = (container.resources ??= {});
      const setRequests = merge((resources.requests ??= {}), requests);
      const setLimits = merge((resources.limits ??= {}), limits);
      if (setRequests.length > 0) notes.push(`${setRequests.join(", ")} request for ${place}`);
      if (setLimits.length > 0) notes.push(`${setLimits.join(", ")} limit for ${place}`);
      if (Object.keys(resources.requests).length === 0) delete resources.requests;
      if (Object.keys(resources.limits).length === 0) delete resources.limits;
    }
  }
  if (notes.length === 0) return;
  const note = `LimitRanger plugin set: ${notes.join("; ")}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, "kubernetes.io/limit-ranger": note };
}

function merge(amounts: Amounts, defaults: Amounts): string[] {
  const added = Object.keys(defaults).filter((name) => amounts[name] === undefined);
  for (const name of added) amounts[name] = defaults[name] ?? "0";
  return added.sort();
}

function podFaults(pod: Pod, { spec }: LimitRange): string[] {
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  return (spec?.limits ?? []).flatMap((limit) => {
    if (limit.type === "Container") {
      return containers.flatMap(({ resources }) =>
        boundFaults(limit, resources?.requests ?? {}, resources?.limits ?? {}),
      );
    }
    return limit.type === "Pod" ? boundFaults(limit, podRequests(pod.spec), podLimits(pod.spec)) : [];
  });
}

function claimFaults(claim: PersistentVolumeClaim, { spec }: LimitRange): string[] {
  const requests = claim.spec.resources?.requests ?? {};
  return (spec?.limits ?? [])
    .filter((limit) => limit.type === "PersistentVolumeClaim")
    .flatMap((limit) => [
      ...sorted(limit.min ?? {}).flatMap(([name, least]) => minimumFault(limit.type, name, least, requests, {})),
      ...sorted(limit.max ?? {}).flatMap(([name, most]) => {
        const request = requests[name];
        const start = `maximum ${name} usage per ${limit.type} is ${most}`;
        if (request === undefined) return `${start}.  No request is specified`;
        return exceeds(request, most) ? `${start}, but request is ${request}` : [];
      }),
    ]);
}

function boundFaults(limit: Limit, requests: Amounts, limits: Amounts): string[] {
  return [
    ...sorted(limit.min ?? {}).flatMap(([name, least]) => minimumFault(limit.type, name, least, requests, limits)),
    ...sorted(limit.max ?? {}).flatMap(([name, most]) => maximumFault(limit.type, name, most, requests, limits)),
    ...sorted(limit.maxLimitRequestRatio ?? {}).flatMap(([name, most]) =>
      ratioFault(limit.type, name, most, requests, limits),
    ),
  ];
}

function exceeds(a: string, b: string): boolean {
  return quantity(a).compare(quantity(b)) > 0;
}

function minimumFault(type: string, name: string, least: string, requests: Amounts, limits: Amounts): string[] {
  const [request, limit] = [requests[name], limits[name]];
  const start = `minimum ${name} usage per ${type} is ${least}`;
  if (request === undefined) return [`${start}.  No request is specified`];
  if (exceeds(least, request)) return [`${start}, but request is ${request}`];
  return limit !== undefined && exceeds(least, limit) ? [`${start}, but limit is ${limit}`] : [];
}

function maximumFault(type: string, name: string, most: string, requests: Amounts, limits: Amounts): string[] {
  const [request, limit] = [requests[name], limits[name]];
  const start = `maximum ${name} usage per ${type} is ${most}`;
  if (limit === undefined) return [`${start}.  No limit is specified`];
  if (exceeds(limit, most)) return [`${start}, but limit is ${limit}`];
  return request !== undefined && exceeds(request, most) ? [`${start}, but request is ${request}`] : [];
}

function ratioFault(type: string, name: string, most: string, requests: Amounts, limits: Amounts): string[] {
  const request = quantity(requests[name] ?? "0").milliValue();
  const limit = quantity(limits[name] ?? "0").milliValue();
  const start = `${name} max limit to request ratio per ${type} is ${most}`;
  if (request === 0) return [`${start}, but no request is specified or request is 0`];
  if (limit === 0) return [`${start}, but no limit is specified or limit is 0`];
  const ratio = limit / request;
  return ratio * 1000 > quantity(most).milliValue() ? [`${start}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}
