import {
  type ClusterRole,
  deepEqual,
  type FieldFault,
  fieldFault,
  type PolicyRule,
  type Role,
  type RoleBinding,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { goForm } from "../validation/go-form.ts";
import { selectorFaults } from "../validation/metadata.ts";
import { pathSegmentName, subdomainName } from "../validation/names.ts";

// pkg/apis/rbac/v1/defaults.go, pkg/apis/rbac/validation/validation.go

const { invalid, notSupported, required } = fieldFault;
const group = "rbac.authorization.k8s.io";

export const roles: Strategy = {
  nameRule: pathSegmentName,
  validate: (object) => [...ruleFaults((object as Role).rules ?? [], true)],
};

export const clusterRoles: Strategy = {
  nameRule: pathSegmentName,
  validate: (object) => [
    ...ruleFaults((object as ClusterRole).rules ?? [], false),
    ...aggregationFaults(object as ClusterRole),
  ],
};

export const roleBindings: Strategy = binding(true);
export const clusterRoleBindings: Strategy = binding(false);

function* ruleFaults(rules: readonly PolicyRule[], namespaced: boolean): Generator<FieldFault> {
  for (const [index, rule] of rules.entries()) {
    const at = `rules[${index}]`;
    if (!rule.verbs?.length) yield required(`${at}.verbs`, "verbs must contain at least one value");
    if (rule.nonResourceURLs?.length) {
      const place = `${at}.nonResourceURLs`;
      if (namespaced) yield invalid(place, rule.nonResourceURLs, "namespaced rules cannot apply to non-resource URLs");
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
        const message = "rules cannot apply to both regular resources and non-resource URLs";
        yield invalid(place, rule.nonResourceURLs, message);
      }
      continue;
    }
    if (!rule.apiGroups?.length) yield required(`${at}.apiGroups`, "resource rules must supply at least one api group");
    if (!rule.resources?.length) yield required(`${at}.resources`, "resource rules must supply at least one resource");
  }
}

function* aggregationFaults({ aggregationRule }: ClusterRole): Generator<FieldFault> {
  if (!aggregationRule) return;
  const at = "aggregationRule.clusterRoleSelectors";
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0)
    yield required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (const [index, selector] of selectors.entries()) yield* selectorFaults(selector, `${at}[${index}]`);
}

function binding(namespaced: boolean): Strategy {
  return {
    nameRule: pathSegmentName,
    applyDefaults(object) {
      const { roleRef, subjects } = object as RoleBinding;
      if (roleRef) roleRef.apiGroup ||= group;
      for (const subject of subjects ?? []) {
        if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= group;
      }
    },
    validate: (object) => [...bindingFaults(object as RoleBinding, namespaced)],
    validateUpdate: (object, old) =>
      deepEqual((object as RoleBinding).roleRef, (old as RoleBinding).roleRef)
        ? []
        : [
            invalid(
              "roleRef",
              goForm((object as RoleBinding).roleRef, ["APIGroup", "Kind", "Name"]),
              "cannot change roleRef",
            ),
          ],
  };
}

function* bindingFaults({ roleRef, subjects = [] }: RoleBinding, namespaced: boolean): Generator<FieldFault> {
  if (roleRef?.apiGroup !== group) yield notSupported("roleRef.apiGroup", roleRef?.apiGroup ?? "", [group]);
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(roleRef?.kind ?? "")) yield notSupported("roleRef.kind", roleRef?.kind ?? "", kinds);
  if (!roleRef?.name) yield required("roleRef.name");
  else for (const message of pathSegmentName(roleRef.name, false)) yield invalid("roleRef.name", roleRef.name, message);
  for (const [index, subject] of subjects.entries()) yield* subjectFaults(subject, namespaced, `subjects[${index}]`);
}

function* subjectFaults(
  { apiGroup = "", kind, name, namespace }: NonNullable<RoleBinding["subjects"]>[number],
  namespaced: boolean,
  at: string,
): Generator<FieldFault> {
  if (!name) yield required(`${at}.name`);
  if (kind === "ServiceAccount") {
    for (const message of name ? subdomainName(name, false) : []) yield invalid(`${at}.name`, name, message);
    if (apiGroup) yield notSupported(`${at}.apiGroup`, apiGroup, [""]);
    if (!namespaced && !namespace) yield required(`${at}.namespace`);
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== group) yield notSupported(`${at}.apiGroup`, apiGroup, [group]);
  } else yield notSupported(`${at}.kind`, kind ?? "", ["ServiceAccount", "User", "Group"]);
}
