import type { ClusterRole, PolicyRule } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { Store } from "../store.ts";
import type { AuthorizationAttributes, Decision } from "./attributes.ts";
import { authorizeNode, nodeOf } from "./node.ts";
import { RoleBasedAccess } from "./rbac.ts";

export const mastersGroup = "system:masters";

/** Who may do what: `system:masters` everything, nodes what a kubelet needs, everybody what roles allow; in this order, as with `--authorization-mode=Node,RBAC`. */
export class Authorizer {
  readonly roles: RoleBasedAccess;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.roles = new RoleBasedAccess(store);
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const { user } = attributes;
    if (user.groups.includes(mastersGroup)) return { allowed: true, reason: "" };
    const node = nodeOf(user);
    const asNode = node === undefined ? undefined : authorizeNode(node, attributes, this.#store, this.#nodeRules());
    if (asNode?.allowed) return asNode;
    const byRole = this.roles.authorize(attributes);
    return byRole.allowed ? byRole : { allowed: false, reason: asNode?.reason ?? "" };
  }

  /** What `auth can-i --list` shows. */
  rulesOf(user: UserInfo, namespace: string | undefined): PolicyRule[] {
    return this.roles.rulesOf(user, namespace);
  }

  #nodeRules(): readonly PolicyRule[] {
    return (
      this.#store.get<ClusterRole>("clusterroles.rbac.authorization.k8s.io", undefined, "system:node")?.rules ?? []
    );
  }
}

const perStore = new WeakMap<Store, Authorizer>();

/** One authorizer a store, so that its index is built once. */
export function authorizerOf(store: Store): Authorizer {
  let authorizer = perStore.get(store);
  if (!authorizer) {
    authorizer = new Authorizer(store);
    perStore.set(store, authorizer);
  }
  return authorizer;
}
