import type { PolicyRule } from "@dhow/kube";
import type { AuthorizationAttributes, ResourceAttributes } from "./attributes.ts";

// pkg/apis/rbac/v1/evaluation_helpers.go

export function rulesAllow(rules: readonly PolicyRule[], attributes: AuthorizationAttributes): boolean {
  return rules.some((rule) => ruleAllows(rule, attributes));
}

function ruleAllows(rule: PolicyRule, { path = "", resource, verb }: AuthorizationAttributes): boolean {
  if (!has(rule.verbs, verb)) return false;
  return resource
    ? resourceMatches(rule, resource)
    : (rule.nonResourceURLs ?? []).some((url) => pathMatches(url, path));
}

function resourceMatches(rule: PolicyRule, target: ResourceAttributes): boolean {
  if (!has(rule.apiGroups, target.group)) return false;
  const names = rule.resourceNames ?? [];
  if (names.length > 0 && !names.includes(target.name)) return false;
  const { resource, subresource } = target;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return (rule.resources ?? []).some(
    (pattern) => pattern === "*" || pattern === combined || (subresource !== "" && pattern === `*/${subresource}`),
  );
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === path) return true;
  return pattern.endsWith("*") && path.startsWith(pattern.replace(/\*+$/, ""));
}

function has(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes("*") || values.includes(value));
}

/** The parts of `wanted` that nothing in `held` covers (component-helpers/auth/rbac/validation/policy_comparator.go). */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(atoms).filter((atom) => !held.some((rule) => covers(rule, atom)));
}

/** A rule as rules of one verb, one group, one resource and one name each. */
function atoms(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const base = { verbs: [verb], apiGroups: [group], resources: [resource] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) parts.push(base);
        else for (const name of names) parts.push({ ...base, resourceNames: [name] });
      }
    }
  }
  return parts;
}

function covers(rule: PolicyRule, atom: PolicyRule): boolean {
  if (!has(rule.verbs, atom.verbs[0] ?? "")) return false;
  const url = atom.nonResourceURLs?.[0];
  if (url !== undefined) return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, url));
  if (!has(rule.apiGroups, atom.apiGroups?.[0] ?? "")) return false;
  const names = rule.resourceNames ?? [];
  const name = atom.resourceNames?.[0];
  if (names.length > 0 && (name === undefined || !names.includes(name))) return false;
  const resource = atom.resources?.[0] ?? "";
  const [, subresource] = resource.split("/");
  return (rule.resources ?? []).some(
    (pattern) =>
      pattern === "*" || pattern === resource || (subresource !== undefined && pattern === `*/${subresource}`),
  );
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}` for messages, verbs on the same resource together, sorted. */
export function describeRules(rules: readonly PolicyRule[]): string[] {
  const verbs = new Map<string, string[]>();
  const lines: string[] = [];
  for (const rule of rules) {
    const simple =
      rule.apiGroups?.length === 1 && rule.resources?.length === 1 && (rule.resourceNames?.length ?? 0) < 2;
    const target = list("APIGroups", rule.apiGroups, "Resources", rule.resources, "ResourceNames", rule.resourceNames);
    if (simple) verbs.set(target, [...(verbs.get(target) ?? []), ...rule.verbs]);
    else lines.push(`{${list("NonResourceURLs", rule.nonResourceURLs, "Verbs", rule.verbs)}}`);
  }
  for (const [target, allowed] of verbs) lines.push(`{${target}, ${list("Verbs", allowed)}}`);
  return [...new Set(lines)].sort();
}

function list(...parts: (string | readonly string[] | undefined)[]): string {
  const texts: string[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const values = parts[at + 1];
    if (!values || typeof values === "string" || values.length === 0) continue;
    texts.push(`${String(parts[at])}:[${values.map((value) => JSON.stringify(value)).join(" ")}]`);
  }
  return texts.join(", ");
}
