import {
  type ClusterRole,
  type ClusterRoleBinding,
  isStatusError,
  type KubeObject,
  type PolicyRule,
  type Role,
  type RoleBinding,
  type RoleRef,
  matchesLabels,
  notFound,
} from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { Store } from "../store.ts";
import type { AuthorizationAttributes, Decision } from "./attributes.ts";
import { rulesAllow } from "./rules.ts";

// plugin/pkg/auth/authorizer/rbac/rbac.go and pkg/registry/rbac/validation/rule.go

type Binding = RoleBinding | ClusterRoleBinding;
type Subject = NonNullable<Binding["subjects"]>[number];

/** Bindings of one place (the cluster or a namespace) by whom they are for. */
interface Index {
  readonly items: readonly KubeObject[];
  readonly bySubject: ReadonlyMap<string, readonly Binding[]>;
}

/** What a user may do according to Roles and their bindings. */
export class RoleBasedAccess {
  readonly #store: Store;
  readonly #indexes = new Map<string, Index>();

  constructor(store: Store) {
    this.#store = store;
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    for (const { binding, subject } of this.#bindings(attributes.user, attributes.resource?.namespace)) {
      const rules = this.#rulesOrNone(binding.roleRef, binding.metadata.namespace);
      if (rulesAllow(rules, attributes)) return { allowed: true, reason: explain(binding, subject) };
    }
    return { allowed: false, reason: "" };
  }

  /** All rules that hold for a user in a namespace, or in the whole cluster. */
  rulesOf(user: UserInfo, namespace: string | undefined): PolicyRule[] {
    return this.#bindings(user, namespace).flatMap(({ binding }) =>
      this.#rulesOrNone(binding.roleRef, binding.metadata.namespace),
    );
  }

  /** Throws NotFound when the role is not there. */
  rulesOfRole(reference: RoleRef, namespace: string | undefined): readonly PolicyRule[] {
    const inNamespace = reference.kind === "Role";
    const resource = `${inNamespace ? "roles" : "clusterroles"}.rbac.authorization.k8s.io`;
    const role = this.#store.get<ClusterRole | Role>(resource, inNamespace ? namespace : undefined, reference.name);
    if (!role) throw notFound(resource, reference.name);
    return this.#rulesIn(role, new Set());
  }

  /** An aggregating role has the rules of those that its selectors select, which may aggregate in turn. */
  #rulesIn(role: ClusterRole | Role, seen: Set<ClusterRole | Role>): readonly PolicyRule[] {
    seen.add(role);
    const selectors = "aggregationRule" in role ? (role.aggregationRule?.clusterRoleSelectors ?? []) : [];
    if (selectors.length === 0) return role.rules ?? [];
    return this.#store
      .list<ClusterRole>("clusterroles.rbac.authorization.k8s.io")
      .filter(
        (other) => selectors.some((selector) => matchesLabels(selector, other.metadata.labels)) && !seen.has(other),
      )
      .flatMap((other) => this.#rulesIn(other, seen));
  }

  #rulesOrNone(reference: RoleRef, namespace: string | undefined): readonly PolicyRule[] {
    try {
      return this.rulesOfRole(reference, namespace);
    } catch (error) {
      if (isStatusError(error, "NotFound")) return [];
      throw error;
    }
  }

  #bindings(user: UserInfo, namespace: string | undefined): { binding: Binding; subject: Subject }[] {
    const keys = new Set([`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)]);
    const [, account] = /^system:serviceaccount:(.+)$/.exec(user.name) ?? [];
    if (account) keys.add(`ServiceAccount/${account}`);
    const indexes = [this.#index("clusterrolebindings.rbac.authorization.k8s.io", undefined)];
    if (namespace) indexes.push(this.#index("rolebindings.rbac.authorization.k8s.io", namespace));
    return indexes.flatMap(({ bySubject }) =>
      [...keys].flatMap((key) =>
        (bySubject.get(key) ?? []).map((binding) => ({
          binding,
          subject: (binding.subjects ?? []).find((subject) => subjectKey(subject, binding) === key) ?? {
            kind: "",
            name: "",
          },
        })),
      ),
    );
  }

  /** Stored objects are frozen, so the same objects in the same order need no new index. */
  #index(resource: string, namespace: string | undefined): Index {
    const place = `${resource}/${namespace ?? ""}`;
    const items = this.#store.list<Binding>(resource, namespace);
    const known = this.#indexes.get(place);
    if (known && known.items.length === items.length && items.every((item, at) => item === known.items[at]))
      return known;
    const bySubject = new Map<string, Binding[]>();
    for (const binding of items) {
      for (const key of new Set((binding.subjects ?? []).map((subject) => subjectKey(subject, binding)))) {
        bySubject.set(key, [...(bySubject.get(key) ?? []), binding]);
      }
    }
    const index = { items, bySubject };
    this.#indexes.set(place, index);
    return index;
  }
}

function subjectKey(subject: Subject, binding: Binding): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind}/${subject.name}`;
  return `ServiceAccount/${subject.namespace ?? binding.metadata.namespace ?? ""}:${subject.name}`;
}

function explain(binding: Binding, subject: Subject): string {
  const { name, namespace } = binding.metadata;
  const kind = namespace ? "RoleBinding" : "ClusterRoleBinding";
  const place = namespace ? `${name}/${namespace}` : name;
  const account =
    subject.kind === "ServiceAccount" ? `"${subject.name}/${subject.namespace ?? namespace}"` : `"${subject.name}"`;
  return `RBAC: allowed by ${kind} "${place}" of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${subject.kind} ${account}`;
}
