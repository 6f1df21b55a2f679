import { type ClusterRole, deepEqual, type PolicyRule } from "@dhow/kube";
import type { Controller, Kind, Manager } from "./manager/manager.ts";
import { nameOf } from "./objects.ts";
import { labelSelectorMatcher } from "./selectors.ts";

const clusterRoles: Kind<ClusterRole> = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" };

/** Gives aggregated ClusterRoles, such as `edit`, the rules of the roles that they select. */
export const clusterroleAggregation: Controller = {
  name: "clusterrole-aggregation",
  start(manager) {
    const roles = manager.informer(clusterRoles);
    const queue = manager.queue("clusterrole-aggregation", {
      workers: 1,
      reconcile: (name) => reconcile(manager, name),
    });
    roles.onChange(() => {
      for (const role of roles.list()) if (role.aggregationRule) queue.add(nameOf(role));
    });
  },
};

async function reconcile(manager: Manager, name: string): Promise<void> {
  const roles = manager.informer(clusterRoles);
  const role = roles.get(undefined, name);
  const selectors = role?.aggregationRule?.clusterRoleSelectors;
  if (!role || !selectors) return;
  const rules: PolicyRule[] = [];
  const ordered = roles.list().sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const matches of selectors.map(labelSelectorMatcher)) {
    for (const other of ordered) {
      if (other === role || !matches(other.metadata.labels ?? {})) continue;
      for (const rule of other.rules ?? []) if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
    }
  }
  const before = role.rules ?? [];
  const same = rules.length === before.length && rules.every((rule) => before.some((known) => deepEqual(known, rule)));
  if (!same) await manager.client.update<ClusterRole>({ ...role, rules });
}
