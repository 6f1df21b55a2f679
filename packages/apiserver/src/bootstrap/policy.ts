import type { KubeObject, PolicyRule } from "@dhow/kube";
import policy from "./policy.json" with { type: "json" };

/**
 * The roles and bindings that every cluster has from the start, as facts in policy.json: taken from a stock API server (a test compares, and
 * writes it anew). Subjects are written `Kind name` or `ServiceAccount namespace/name`.
 */
interface RoleFacts {
  readonly name: string;
  readonly namespace?: string;
  /** Which aggregating role this one adds to. */
  readonly label?: string;
  readonly aggregates?: string;
  readonly rules?: readonly PolicyRule[];
}

interface BindingFacts {
  readonly name: string;
  readonly namespace?: string;
  readonly role: string;
  readonly subjects: readonly string[];
}

const group = "rbac.authorization.k8s.io";
const apiVersion = `${group}/v1`;

export function bootstrapPolicy(): { resource: string; object: KubeObject }[] {
  const clusterRoles: readonly RoleFacts[] = policy.clusterRoles;
  return [
    ...clusterRoles.map((facts) => ({ resource: `clusterroles.${group}`, object: role(facts, clusterRoles) })),
    ...policy.clusterRoleBindings.map((facts) => ({
      resource: `clusterrolebindings.${group}`,
      object: binding(facts),
    })),
    ...policy.roles.map((facts) => ({ resource: `roles.${group}`, object: role(facts, []) })),
    ...policy.roleBindings.map((facts) => ({ resource: `rolebindings.${group}`, object: binding(facts) })),
  ];
}

function metadata(facts: RoleFacts | BindingFacts): KubeObject["metadata"] {
  const label = "label" in facts ? facts.label : undefined;
  return {
    name: facts.name,
    ...(facts.namespace ? { namespace: facts.namespace } : {}),
    labels: {
      "kubernetes.io/bootstrapping": "rbac-defaults",
      ...(label ? { [`${group}/${label}`]: "true" } : {}),
    },
    annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
  };
}

function role(facts: RoleFacts, all: readonly RoleFacts[]): KubeObject {
  const { aggregates } = facts;
  return {
    apiVersion,
    kind: facts.namespace ? "Role" : "ClusterRole",
    metadata: metadata(facts),
    ...(aggregates
      ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${group}/${aggregates}`]: "true" } }] } }
      : {}),
    rules: rulesOf(facts, all),
  };
}

function rulesOf(facts: RoleFacts, all: readonly RoleFacts[]): PolicyRule[] {
  if (!facts.aggregates) return structuredClone([...(facts.rules ?? [])]);
  return all.filter((other) => other.label === facts.aggregates).flatMap((other) => rulesOf(other, all));
}

function binding(facts: BindingFacts): KubeObject {
  return {
    apiVersion,
    kind: facts.namespace ? "RoleBinding" : "ClusterRoleBinding",
    metadata: metadata(facts),
    roleRef: { apiGroup: group, kind: facts.namespace ? "Role" : "ClusterRole", name: facts.role },
    ...(facts.subjects.length > 0 ? { subjects: facts.subjects.map(subject) } : {}),
  };
}

function subject(text: string) {
  const [kind = "", full = ""] = text.split(" ");
  if (kind !== "ServiceAccount") return { apiGroup: group, kind, name: full };
  const [namespace = "", name = ""] = full.split("/");
  return { kind, name, namespace };
}
