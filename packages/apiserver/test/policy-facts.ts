import type { KubeObject, PolicyRule } from "@dhow/kube";

const group = "rbac.authorization.k8s.io/";

interface Access extends KubeObject {
  aggregationRule?: { clusterRoleSelectors?: { matchLabels?: Record<string, string> }[] };
  rules?: PolicyRule[] | null;
  roleRef?: { name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

/** policy.json: what a stock server has, one role or binding a line. */
export function policyText(objects: Readonly<Record<string, readonly KubeObject[]>>): string {
  const lists = [
    ["clusterRoles", objects["ClusterRole"], roleFacts],
    ["clusterRoleBindings", objects["ClusterRoleBinding"], bindingFacts],
    ["roles", objects["Role"], roleFacts],
    ["roleBindings", objects["RoleBinding"], bindingFacts],
  ] as const;
  const parts = lists.map(([name, list, facts]) => {
    const lines = (list ?? []).map((object) => JSON.stringify(facts(object as Access)));
    return `"${name}": [\n${lines.join(",\n")}\n]`;
  });
  return `{\n${parts.join(",\n")}\n}\n`;
}

function roleFacts({ aggregationRule, metadata, rules }: Access): unknown {
  const label = Object.keys(metadata.labels ?? {}).find((key) => key.startsWith(`${group}aggregate-to-`));
  const aggregates = Object.keys(aggregationRule?.clusterRoleSelectors?.[0]?.matchLabels ?? {})[0];
  return {
    name: metadata.name,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    ...(label ? { label: label.slice(group.length) } : {}),
    ...(aggregates ? { aggregates: aggregates.slice(group.length) } : { rules: (rules ?? []).map(ruleFacts) }),
  };
}

function ruleFacts({ apiGroups, nonResourceURLs, resourceNames, resources, verbs }: PolicyRule): unknown {
  return { apiGroups, resources, resourceNames, verbs, nonResourceURLs };
}

function bindingFacts({ metadata, roleRef, subjects = [] }: Access): unknown {
  return {
    name: metadata.name,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    role: roleRef?.name,
    subjects: subjects.map(({ kind, name, namespace }) => `${kind} ${namespace ? `${namespace}/` : ""}${name}`),
  };
}
