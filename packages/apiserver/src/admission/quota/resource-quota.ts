import { deepEqual, type KubeObject, type Pod, type ResourceQuota } from "@dhow/kube";
import type { AdmissionAttributes, AdmissionPlugin } from "../../admission.ts";
import type { Store } from "../../store.ts";
import { quantity } from "../../validation/quantities.ts";
import { add, type Amounts } from "../pod-resources.ts";
import { refuse } from "../refusal.ts";
import { inScope, missingAmounts, usageOf } from "./usage.ts";

// apiserver/pkg/admission/plugin/resourcequota/controller.go

/** Longer than any write that was let through takes to reach the store. */
const pendingMilliseconds = 10_000;

interface Pending {
  readonly resource: string;
  readonly object: KubeObject;
  readonly until: number;
}

/**
 * Keeps a namespace within its quotas. What is used is what is stored, and what was let through and is on its way into the store, so that two
 * writers at once cannot both take the last place, and a write that fails later takes none. The numbers are also written into the quotas' status.
 */
export const resourceQuota: AdmissionPlugin = {
  name: "ResourceQuota",
  async validate(attributes, store) {
    const { name, namespace, object, operation, resource } = attributes;
    if (namespace && operation === "DELETE") forget(store, namespace, resource, name);
    if (!namespace || !object || !isCounted(attributes)) return;
    const quotas = store.list<ResourceQuota>("resourcequotas", namespace);
    if (quotas.length === 0) return;
    const pending = pendingOf(store, namespace);
    const next: { quota: ResourceQuota; used: Amounts }[] = [];
    for (const quota of quotas) {
      const used = check(quota, attributes, store, pending);
      if (used) next.push({ quota, used });
    }
    if (attributes.dryRun || next.length === 0) return;
    if (operation === "CREATE") {
      pending.push({ resource, object: structuredClone(object), until: performance.now() + pendingMilliseconds });
    }
    for (const { quota, used } of next) await writeStatus(store, quota, used);
  },
};

function isCounted({ object, old, operation, resource, subresource }: AdmissionAttributes): boolean {
  if (operation === "CREATE") return !subresource;
  if (operation !== "UPDATE" || !object || !old) return false;
  if (resource === "pods") {
    const ends = (pod: KubeObject) => (pod as Pod).spec.activeDeadlineSeconds !== undefined;
    return subresource === "resize" || (!subresource && ends(object) !== ends(old));
  }
  return !subresource && (resource === "services" || resource === "persistentvolumeclaims");
}

/** The quota's usage with the new object in it, or undefined where the quota is not about it. */
function check(
  quota: ResourceQuota,
  attributes: AdmissionAttributes,
  store: Store,
  pending: readonly Pending[],
): Amounts | undefined {
  const { object, old, resource } = attributes;
  const hard = quota.spec?.hard ?? {};
  if (!object || !inScope(quota, resource, object)) return undefined;
  const name = quota.metadata.name ?? "";
  const missing = resource === "pods" ? missingAmounts(hard, object as Pod) : undefined;
  if (missing) throw refuse(attributes, `failed quota: ${name}: ${missing}`);
  const wanted = only(usageOf(resource, object), hard);
  if (Object.keys(wanted).length === 0) return undefined;
  const before = old && inScope(quota, resource, old) ? only(usageOf(resource, old), hard) : {};
  const requested = difference(wanted, before);
  const used = usedBy(quota, store, pending);
  const total = { ...used };
  add(total, requested);
  const exceeded = Object.keys(requested).filter(
    (key) => quantity(total[key] ?? "0").compare(quantity(hard[key] ?? "0")) > 0,
  );
  if (exceeded.length > 0) {
    const parts = [requested, used, hard].map((amounts) => list(amounts, exceeded));
    throw refuse(
      attributes,
      `exceeded quota: ${name}, requested: ${parts[0]}, used: ${parts[1]}, limited: ${parts[2]}`,
    );
  }
  return total;
}

function usedBy(quota: ResourceQuota, store: Store, pending: readonly Pending[]): Amounts {
  const hard = quota.spec?.hard ?? {};
  const used: Amounts = Object.fromEntries(Object.keys(hard).map((key) => [key, "0"]));
  const { namespace = "" } = quota.metadata;
  for (const resource of resourcesOf(hard)) {
    const stored = store.list(resource, namespace);
    const names = new Set(stored.map((object) => object.metadata.name));
    const coming = pending.filter((entry) => entry.resource === resource && !names.has(entry.object.metadata.name));
    for (const object of [...stored, ...coming.map((entry) => entry.object)]) {
      if (inScope(quota, resource, object)) add(used, only(usageOf(resource, object), hard));
    }
  }
  return used;
}

/** The resources whose objects a quota counts, by the names in its limits. */
function resourcesOf(hard: Amounts): ReadonlySet<string> {
  const resources = new Set<string>();
  for (const key of Object.keys(hard)) {
    if (key.startsWith("count/")) resources.add(key.slice("count/".length));
    else if (key.includes("storage") && !key.includes("ephemeral-storage")) resources.add("persistentvolumeclaims");
    else if (key.startsWith("services")) resources.add("services");
    else if (/^(pods$|cpu$|memory$|ephemeral-storage$|requests\.|limits\.|hugepages-)/.test(key)) resources.add("pods");
    else resources.add(key);
  }
  return resources;
}

function only(amounts: Amounts, hard: Amounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([key]) => hard[key] !== undefined));
}

/** How much more; what became less asks for nothing. */
function difference(amounts: Amounts, before: Amounts): Amounts {
  const rest: Amounts = {};
  for (const [key, amount] of Object.entries(amounts)) {
    const more = quantity(amount).subtract(quantity(before[key] ?? "0"));
    if (more.sign() > 0) rest[key] = more.toString();
  }
  return rest;
}

function list(amounts: Amounts, keys: readonly string[]): string {
  return keys
    .toSorted()
    .map((key) => `${key}=${quantity(amounts[key] ?? "0").toString()}`)
    .join(",");
}

const pendings = new WeakMap<Store, Map<string, Pending[]>>();

function pendingOf(store: Store, namespace: string): Pending[] {
  let perNamespace = pendings.get(store);
  if (!perNamespace) {
    perNamespace = new Map();
    pendings.set(store, perNamespace);
  }
  const now = performance.now();
  const fresh = (perNamespace.get(namespace) ?? []).filter(
    ({ object, resource, until }) => until > now && !store.get(resource, namespace, object.metadata.name ?? ""),
  );
  perNamespace.set(namespace, fresh);
  return fresh;
}

/** What is deleted has been stored, so it is on its way no longer. */
function forget(store: Store, namespace: string, resource: string, name: string): void {
  const perNamespace = pendings.get(store);
  const entries = perNamespace?.get(namespace);
  if (!entries) return;
  const rest = entries.filter(
    (entry) => entry.resource !== resource || (name !== "" && entry.object.metadata.name !== name),
  );
  perNamespace?.set(namespace, rest);
}

async function writeStatus(store: Store, quota: ResourceQuota, used: Amounts): Promise<void> {
  const { name = "", namespace } = quota.metadata;
  const hard = quota.spec?.hard ?? {};
  await store.modify("resourcequotas", namespace, name, (current) => {
    const status = { hard, used };
    return deepEqual(current["status"], status) ? undefined : { ...current, status };
  });
}
