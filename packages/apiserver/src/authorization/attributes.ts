import { forbidden, quote, type StatusError } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";

/** What somebody wants to do (apiserver/pkg/authorization/authorizer/interfaces.go). */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  /** Lower case: `get`, `list`, `create`, `deletecollection`, `bind`, `impersonate` …; outside resources the HTTP method. */
  readonly verb: string;
  /** Undefined for paths that are not about resources. */
  readonly resource?: ResourceAttributes | undefined;
  /** Where there is no resource: `/healthz`. */
  readonly path?: string;
}

export interface ResourceAttributes {
  readonly group: string;
  readonly version?: string;
  /** The plural: `pods`. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** Why, in words for a person; often empty for a refusal. */
  readonly reason: string;
}

/** The 403 that a refusal becomes (apiserver/pkg/endpoints/handlers/responsewriters/errors.go). */
export function forbiddenRequest(attributes: AuthorizationAttributes, reason = ""): StatusError {
  const { resource, user, verb } = attributes;
  const message = escapeHtml(resource ? resourceMessage(user, verb, resource) : pathMessage(attributes));
  const group = resource?.group ? `.${resource.group}` : "";
  return forbidden(
    `${resource?.resource ?? ""}${group}`,
    resource?.name ?? "",
    reason ? `${message}: ${reason}` : message,
  );
}

function pathMessage({ path = "", user, verb }: AuthorizationAttributes): string {
  return `User ${quote(user.name)} cannot ${verb} path ${quote(path)}`;
}

function resourceMessage(user: UserInfo, verb: string, target: ResourceAttributes): string {
  const resource = target.subresource ? `${target.resource}/${target.subresource}` : target.resource;
  const place = target.namespace ? `in the namespace ${quote(target.namespace)}` : "at the cluster scope";
  return `User ${quote(user.name)} cannot ${verb} resource ${quote(resource)} in API group ${quote(target.group)} ${place}`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
