import { deepEqual, type KubeObject, type PolicyRule, quote, type Role, type RoleBinding } from "@dhow/kube";
import type { AdmissionAttributes, AdmissionPlugin } from "../admission.ts";
import type { AuthorizationAttributes } from "../authorization/attributes.ts";
import { authorizerOf, mastersGroup } from "../authorization/authorizer.ts";
import { describeRules, uncovered } from "../authorization/rules.ts";
import type { Store } from "../store.ts";
import { refuse } from "./refusal.ts";

// pkg/registry/rbac/{role,rolebinding}/policybased/storage.go, pkg/registry/rbac/validation/rule.go

const group = "rbac.authorization.k8s.io";

/** Nobody gives away what he does not have: whoever writes a role or a binding must hold every right in it, or the verb `escalate` or `bind`. */
export const privilegeEscalation: AdmissionPlugin = {
  name: "PrivilegeEscalation",
  validate(attributes, store) {
    const { object, old, operation, resource, subresource, user } = attributes;
    if (operation === "DELETE" || subresource || !object || user.groups.includes(mastersGroup)) return;
    if (resource === `roles.${group}` || resource === `clusterroles.${group}`) {
      if (old && deepEqual(contents(object), contents(old))) return;
      if (isAllowed(attributes, store, "escalate", resource, attributes.name)) return;
      confirm(attributes, store, (object as Role).rules ?? []);
    } else if (resource === `rolebindings.${group}` || resource === `clusterrolebindings.${group}`) {
      if (old && deepEqual(contents(object), contents(old))) return;
      const { roleRef } = object as RoleBinding;
      const role = `${roleRef.kind === "Role" ? "roles" : "clusterroles"}.${group}`;
      if (isAllowed(attributes, store, "bind", role, roleRef.name)) return;
      confirm(attributes, store, authorizerOf(store).roles.rulesOfRole(roleRef, attributes.namespace));
    }
  },
};

/** Everything but the metadata that the garbage collector changes. */
function contents(object: KubeObject): unknown {
  const {
    finalizers: _finalizers,
    managedFields: _managed,
    ownerReferences: _owners,
    resourceVersion: _version,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}

function isAllowed(
  { namespace, user }: AdmissionAttributes,
  store: Store,
  verb: string,
  resource: string,
  name: string,
): boolean {
  const target = {
    group,
    version: "v1",
    resource: resource.slice(0, resource.indexOf(".")),
    subresource: "",
    namespace,
    name,
  };
  const attempt: AuthorizationAttributes = { user, verb, resource: target };
  return authorizerOf(store).authorize(attempt).allowed;
}

function confirm(attributes: AdmissionAttributes, store: Store, wanted: readonly PolicyRule[]): void {
  const { namespace, user } = attributes;
  const missing = uncovered(authorizerOf(store).rulesOf(user, namespace), wanted);
  if (missing.length === 0) return;
  const groups = user.groups.map(quote).join(" ");
  const start = `user ${quote(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held`;
  throw refuse(attributes, `${start}:\n${describeRules(missing).join("\n")}`);
}
