import { badRequest, forbidden, quote, type StatusError } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import {
  type AuthorizationAttributes,
  forbiddenRequest,
  type ResourceAttributes,
} from "../authorization/attributes.ts";
import type { Authorizer } from "../authorization/authorizer.ts";

// apiserver/pkg/endpoints/filters/impersonation

const accountPrefix = "system:serviceaccount:";
const nodePrefix = "system:node:";
const extraPrefix = "impersonate-extra-";

/** What is asked for, as far as it matters who may ask for it in another's name. */
export type Asked = Pick<AuthorizationAttributes, "verb" | "resource" | "path">;

/** The user that the `Impersonate-…` headers name. */
interface Wanted {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * Whom a request is to be treated as coming from; the user itself unless `Impersonate-…` headers say otherwise and the user may do that:
 * by the verbs of constrained impersonation (KEP 5284), which are for one kind of user and one kind of request each, or by the plain verb
 * `impersonate`. Where nothing allows it the first refusal is told.
 */
export function impersonate(
  user: UserInfo,
  headers: Readonly<Record<string, string>>,
  authorizer: Authorizer,
  asked: Asked,
): UserInfo {
  const wanted = wantedFrom(headers);
  if (!wanted) return user;
  const { name, groups, uid, extra } = wanted;
  const steps = [...constrained(wanted, asked), plain(wanted)];
  const refusals: StatusError[] = [];
  for (const demands of steps) {
    const refused = refusal(demands(), user, authorizer);
    if (!refused) {
      return {
        name,
        groups: groupsOf(name, groups),
        ...(uid ? { uid } : {}),
        ...(Object.keys(extra).length > 0
          ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }
          : {}),
      };
    }
    refusals.push(refused);
  }
  throw refusals[0] ?? forbidden("users", name, "");
}

function wantedFrom(headers: Readonly<Record<string, string>>): Wanted | undefined {
  if (!namesAnother(headers)) return undefined;
  // Of several the first counts, as Go's Header.Get gives it; a comma is no part of a user's name here.
  const name = headers["impersonate-user"]?.split(", ")[0];
  const groups = splitHeader(headers["impersonate-group"]);
  const uid = headers["impersonate-uid"];
  const extra = extraFrom(headers);
  if (name) return { name, groups, uid, extra };
  if (groups.length === 0 && !uid && Object.keys(extra).length === 0) return undefined;
  throw badRequest(`requested ${describe(uid ?? "", groups, extra)} without impersonating a user name`);
}

/** Hardly any request does: this is found out without reading what a header says. */
function namesAnother(headers: Readonly<Record<string, string>>): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

type Demand = Pick<AuthorizationAttributes, "verb" | "resource" | "path">;

/** The first of the demands that is not granted. */
function refusal(demands: Iterable<Demand>, user: UserInfo, authorizer: Authorizer): StatusError | undefined {
  for (const demand of demands) {
    const attributes: AuthorizationAttributes = { user, ...demand };
    const decision = authorizer.authorize(attributes);
    if (!decision.allowed) return forbiddenRequest(attributes, decision.reason);
  }
  return undefined;
}

const authenticationGroup = "authentication.k8s.io";

/** The mode that is for this kind of user, if there is one: first whether it may be used on what is asked for, then whether for this user. */
function constrained(wanted: Wanted, asked: Asked): (() => Generator<Demand>)[] {
  const { name, groups, uid, extra } = wanted;
  const bare = groups.length === 0 && !uid && Object.keys(extra).length === 0;
  const within = (mode: string, identity: (verb: string) => Generator<Demand>) => [
    function* () {
      yield { ...asked, verb: `impersonate-on:${mode}:${asked.verb}` };
      yield* identity(`impersonate:${mode}`);
    },
  ];
  const one = (resource: ResourceAttributes) =>
    function* (verb: string) {
      yield { verb, resource };
    };
  if (name.startsWith(nodePrefix)) {
    return bare
      ? within("arbitrary-node", one(target(authenticationGroup, "nodes", name.slice(nodePrefix.length))))
      : [];
  }
  const account = accountOf(name);
  if (account) {
    const itself = target(authenticationGroup, "serviceaccounts", account.name, account.namespace);
    return bare ? within("serviceaccount", one(itself)) : [];
  }
  return within("user-info", function* (verb) {
    yield { verb, resource: target(authenticationGroup, "users", name) };
    yield* ofIdentity(verb, wanted, authenticationGroup);
  });
}

/** The verb `impersonate`, which is for whatever that user may do. */
function plain(wanted: Wanted): () => Generator<Demand> {
  return function* () {
    yield { verb: "impersonate", resource: targetOfUser(wanted.name) };
    yield* ofIdentity("impersonate", wanted, "");
  };
}

function* ofIdentity(verb: string, { groups, uid, extra }: Wanted, groupsGroup: string): Generator<Demand> {
  for (const group of groups) yield { verb, resource: target(groupsGroup, "groups", group) };
  if (uid) yield { verb, resource: target(authenticationGroup, "uids", uid) };
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) {
      yield { verb, resource: { ...target(authenticationGroup, "userextras", value), subresource: key } };
    }
  }
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
  const account = accountOf(name);
  return account ? target("", "serviceaccounts", account.name, account.namespace) : target("", "users", name);
}

/** What only looks like a service account is a user like others (serviceaccount.SplitUsername). */
function accountOf(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(accountPrefix)) return undefined;
  const [namespace, name, ...rest] = user.slice(accountPrefix.length).split(":");
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
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
