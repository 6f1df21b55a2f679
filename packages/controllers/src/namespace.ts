import { messageOf } from "@dhow/base";
import { deepEqual, isStatusError, type KubeObject, type Namespace, type NamespaceCondition, refOf } from "@dhow/kube";
import { withStatusCondition } from "./conditions.ts";
import { type DiscoveredResource, discover } from "./discovery.ts";
import { kinds } from "./kinds.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, nameOf } from "./objects.ts";

/** Looks again after this while something remains. */
const again = 500;

/** Empties namespaces that are being deleted, then lets them go. */
export const namespace: Controller = {
  name: "namespace",
  start(manager) {
    const namespaces = manager.informer(kinds.namespace);
    const queue = manager.queue("namespace", {
      workers: 4,
      reconcile: async (name) => {
        const found = namespaces.get(undefined, name);
        if (found && isDeleting(found)) return terminate(manager, found);
      },
    });
    namespaces.onChange((next) => {
      if (next && isDeleting(next)) queue.add(nameOf(next));
    });
  },
};

interface Remaining {
  /** How many of each resource are left, by `resource.group`. */
  readonly counts: Map<string, number>;
  readonly finalizers: Map<string, number>;
  readonly failures: string[];
}

async function terminate(manager: Manager, found: Namespace): Promise<number | void> {
  if (!(found.spec?.finalizers ?? []).includes("kubernetes")) return;
  let resources: DiscoveredResource[];
  try {
    resources = await discover(manager.client);
  } catch (error) {
    await writeConditions(manager, found, { counts: new Map(), finalizers: new Map(), failures: [] }, messageOf(error));
    throw error;
  }
  const remaining: Remaining = { counts: new Map(), finalizers: new Map(), failures: [] };
  const deletable = resources.filter(
    ({ namespaced, verbs }) => namespaced && verbs.includes("delete") && verbs.includes("list"),
  );
  // Pods first: nothing that protects them, such as a NetworkPolicy, goes while they run (OrderedNamespaceDeletion).
  const pods = deletable.filter(({ group, resource }) => group === "" && resource === "pods");
  await empty(manager, nameOf(found), pods, remaining);
  if (remaining.counts.size === 0 && remaining.failures.length === 0) {
    await empty(
      manager,
      nameOf(found),
      deletable.filter((resource) => !pods.includes(resource)),
      remaining,
    );
  }
  const done = remaining.counts.size === 0 && remaining.failures.length === 0;
  const current = await writeConditions(manager, found, remaining, undefined);
  if (!done) return again;
  await finalize(manager, current);
}

async function empty(
  manager: Manager,
  name: string,
  resources: readonly DiscoveredResource[],
  remaining: Remaining,
): Promise<void> {
  await Promise.all(
    resources.map(async ({ apiVersion, kind, resource, group, verbs }) => {
      const ref = { apiVersion, kind, namespace: name };
      // As the real one writes it, with a dot even where there is no group.
      const label = `${resource}.${group}`;
      try {
        let items = (await manager.client.list(ref)).items;
        if (items.length === 0) return;
        await deleteAll(manager, ref, items, verbs.includes("deletecollection"));
        items = (await manager.client.list(ref)).items;
        if (items.length > 0) remaining.counts.set(label, items.length);
        for (const finalizer of items.flatMap((item) => item.metadata.finalizers ?? [])) {
          remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
        }
      } catch (error) {
        const gone = isStatusError(error, "NotFound") || isStatusError(error, "MethodNotAllowed");
        if (!gone) remaining.failures.push(messageOf(error));
      }
    }),
  );
}

async function deleteAll(
  manager: Manager,
  ref: { apiVersion: string; kind: string; namespace: string },
  items: readonly KubeObject[],
  asCollection: boolean,
): Promise<void> {
  if (items.every(isDeleting)) return;
  if (asCollection) {
    await manager.client.delete(ref, { propagationPolicy: "Background" });
    return;
  }
  for (const item of items) {
    try {
      await manager.client.delete(refOf(item), { propagationPolicy: "Background" });
    } catch (error) {
      if (!isStatusError(error, "NotFound")) throw error;
    }
  }
}

/** What is left, in the words of pkg/controller/namespace/deletion/status_condition_utils.go. */
async function writeConditions(
  manager: Manager,
  found: Namespace,
  { counts, finalizers, failures }: Remaining,
  discoveryFailure: string | undefined,
): Promise<Namespace> {
  const list = (map: ReadonlyMap<string, number>, text: (name: string, count: number) => string) =>
    [...map]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => text(name, count))
      .join(", ");
  const instances = list(counts, (name, count) => `${name} has ${count} resource instances`);
  const holders = list(finalizers, (name, count) => `${name} in ${count} resource instances`);
  const conditions: [string, boolean, string, string, string, string][] = [
    [
      "NamespaceDeletionDiscoveryFailure",
      discoveryFailure !== undefined,
      "DiscoveryFailed",
      `Discovery failed for some groups, 1 failing: ${discoveryFailure}`,
      "ResourcesDiscovered",
      "All resources successfully discovered",
    ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      "GroupVersionParsingFailed",
      "",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ],
    [
      "NamespaceDeletionContentFailure",
      failures.length > 0,
      "ContentDeletionFailed",
      `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(", ")}`,
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ],
    [
      "NamespaceContentRemaining",
      counts.size > 0,
      "SomeResourcesRemain",
      `Some resources are remaining: ${instances}`,
      "ContentRemoved",
      "All content successfully removed",
    ],
    [
      "NamespaceFinalizersRemaining",
      finalizers.size > 0,
      "SomeFinalizersRemain",
      `Some content in the namespace has finalizers remaining: ${holders}`,
      "ContentHasNoFinalizers",
      "All content-preserving finalizers finished",
    ],
  ];
  let next: NamespaceCondition[] = found.status?.conditions ?? [];
  for (const [type, wrong, badReason, badMessage, goodReason, goodMessage] of conditions) {
    const [status, reason, message] = wrong ? ["True", badReason, badMessage] : ["False", goodReason, goodMessage];
    next = withStatusCondition(
      next,
      { type, status: status ?? "", reason: reason ?? "", message: message ?? "" },
      manager.clock,
    );
  }
  if (deepEqual(next, found.status?.conditions ?? [])) return found;
  return manager.client.updateStatus<Namespace>({ ...found, status: { ...found.status, conditions: next } });
}

async function finalize(manager: Manager, found: Namespace): Promise<void> {
  const finalizers = (found.spec?.finalizers ?? []).filter((finalizer) => finalizer !== "kubernetes");
  const body = { ...found, spec: { ...found.spec, finalizers } };
  try {
    await manager.client.subresource(refOf(found), "finalize", "PUT", body);
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}
