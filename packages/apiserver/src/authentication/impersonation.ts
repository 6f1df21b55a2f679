import { badRequest, quote } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import {
  type AuthorizationAttributes,
  forbiddenRequest,
  type ResourceAttributes,
} from "../authorization/attributes.ts";
import type { Authorizer } from "../authorization/authorizer.ts";

// apiserver/pkg/endpoints/filters/impersonation

const accountPrefix = "system:serviceaccount:";
const extraPrefix = "impersonate-extra-";

/** Whom a request is to be treated as coming from; the user itself unless `Impersonate-…` headers say otherwise and the user may do that. */
export function impersonate(
  user: UserInfo,
  headers: Readonly<Record<string, string>>,
  authorizer: Authorizer,
): UserInfo {
  // Of several the first counts, as Go's Header.Get gives it; a comma is no part of a user's name here.
  const name = headers["impersonate-user"]?.split(", ")[0];
  const groups = splitHeader(headers["impersonate-group"]);
  const uid = headers["impersonate-uid"];
  const extra = extraFrom(headers);
  if (!name) {
    if (groups.length === 0 && !uid && Object.keys(extra).length === 0) return user;
    throw badRequest(`requested ${describe(uid ?? "", groups, extra)} without impersonating a user name`);
  }
  const demand = (target: ResourceAttributes) => {
    const attributes: AuthorizationAttributes = { user, verb: "impersonate", resource: target };
    const decision = authorizer.authorize(attributes);
    if (!decision.allowed) throw forbiddenRequest(attributes, decision.reason);
  };
  demand(targetOfUser(name));
  for (const group of groups) demand(target("", "groups", group));
  if (uid) demand(target("authentication.k8s.io", "uids", uid));
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) demand({ ...target("authentication.k8s.io", "userextras", value), subresource: key });
  }
  return {
    name,
    groups: groupsOf(name, groups),
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** As Go prints the user that was asked for. */
function describe(uid: string, groups: readonly string[], extra: Readonly<Record<string, string[]>>): string {
  const list = (values: readonly string[]) => `[]string{${values.map(quote).join(", ")}}`;
  const entries = Object.entries(extra).map(([key, values]) => `${quote(key)}:${list(values)}`);
  const more = entries.length > 0 ? `{${entries.sort().join(", ")}}` : "(nil)";
  const all = groups.length > 0 ? list(groups) : "[]string(nil)";
  return `&user.DefaultInfo{Name:"", UID:${quote(uid)}, Groups:${all}, Extra:map[string][]string${more}}`;
}

function target(group: string, resource: string, name: string, namespace?: string): ResourceAttributes {
  return { group, version: "v1", resource, subresource: "", namespace, name };
}

function targetOfUser(name: string): ResourceAttributes {
  const [namespace, account, ...rest] = name.startsWith(accountPrefix)
    ? name.slice(accountPrefix.length).split(":")
    : [];
  // What only looks like a service account is a user like others (serviceaccount.SplitUsername).
  if (!namespace || !account || rest.length > 0) return target("", "users", name);
  return target("", "serviceaccounts", account, namespace);
}

/** Service accounts are in their groups without being told, and whoever is known is authenticated. */
function groupsOf(name: string, groups: readonly string[]): string[] {
  if (name === "system:anonymous") return groups.length > 0 ? [...groups] : ["system:unauthenticated"];
  const all = [...groups];
  if (groups.length === 0 && name.startsWith(accountPrefix)) {
    all.push("system:serviceaccounts", `system:serviceaccounts:${name.slice(accountPrefix.length).split(":")[0]}`);
  }
  if (!all.includes("system:authenticated") && !all.includes("system:unauthenticated"))
    all.push("system:authenticated");
  return all;
}

/** Several headers of one name come joined with commas. */
function splitHeader(value: string | undefined): string[] {
  return (value ?? "").split(/,\s*/).filter(Boolean);
}

/** What cannot be unescaped is taken as it is (unescapeExtraKey). */
function unescapedKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function extraFrom(headers: Readonly<Record<string, string>>): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = unescapedKey(header.slice(extraPrefix.length));
    Object.defineProperty(extra, key, { value: splitHeader(value), enumerable: true, configurable: true });
  }
  return extra;
}
