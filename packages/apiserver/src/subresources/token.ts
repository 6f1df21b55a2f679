import type { Clock } from "@dhow/base";
import {
  badRequest,
  conflict,
  type FieldFault,
  fieldFault,
  invalid,
  type KubeObject,
  type Node,
  notFound,
  type Pod,
  type ServiceAccount,
  timestamp,
  type TokenRequest,
} from "@dhow/kube";
import type { ServiceAccountTokens } from "../authentication/service-account-tokens.ts";
import type { Store } from "../store.ts";

// pkg/registry/core/serviceaccount/storage/token.go

export interface TokenContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly tokens: ServiceAccountTokens;
  readonly namespace: string | undefined;
  /** The account's name. */
  readonly name: string;
}

const leastSeconds = 600;
const mostSeconds = 2 ** 32;

/** Signs a token for a service account, bound to a pod, secret or node if asked. */
export async function requestToken(request: TokenRequest, context: TokenContext): Promise<KubeObject> {
  const { clock, name, namespace, store, tokens } = context;
  checkNames(request, context);
  const account = store.get<ServiceAccount>("serviceaccounts", namespace, name);
  if (!account) throw notFound("serviceaccounts", name);
  const { metadata } = account;
  if (request.metadata.uid && request.metadata.uid !== metadata.uid) {
    const message = `the UID in the token request (${request.metadata.uid}) does not match the UID of the service account (${metadata.uid})`;
    throw conflict("TokenRequest.authentication.k8s.io", name, message);
  }
  const given = request.spec?.audiences ?? [];
  const audiences = given.length > 0 ? given : [tokens.issuer];
  const expirationSeconds = request.spec?.expirationSeconds ?? 3600;
  const faults = [...durationFaults(expirationSeconds)];
  if (faults.length > 0) throw invalid("authentication.k8s.io", "TokenRequest", "", faults);
  const bound = boundTo(request, context);
  const now = clock.now();
  const token = await tokens.sign({ account, audiences, expirationSeconds, ...bound });
  return {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name, namespace, uid: metadata.uid, creationTimestamp: timestamp(now) },
    spec: { audiences, expirationSeconds, boundObjectRef: request.spec?.boundObjectRef ?? null },
    status: { token, expirationTimestamp: timestamp(now + expirationSeconds * 1000) },
  };
}

function checkNames({ metadata }: TokenRequest, { name, namespace }: TokenContext): void {
  for (const [field, expected] of [
    ["name", name],
    ["namespace", namespace],
  ] as const) {
    const value = metadata[field];
    if (!value || value === expected) continue;
    const fault = fieldFault.invalid(
      `metadata.${field}`,
      value,
      `must match the service account ${field} if specified`,
    );
    throw invalid("authentication.k8s.io", "TokenRequest", name, [fault]);
  }
}

function* durationFaults(seconds: number): Generator<FieldFault> {
  const at = "spec.expirationSeconds";
  if (seconds < leastSeconds) yield fieldFault.invalid(at, seconds, "may not specify a duration less than 10 minutes");
  if (seconds > mostSeconds)
    yield fieldFault.invalid(at, seconds, "may not specify a duration larger than 2^32 seconds");
}

function boundTo({ spec }: TokenRequest, { name, namespace, store }: TokenContext) {
  const reference = spec?.boundObjectRef;
  if (!reference) return {};
  const { apiVersion = "", kind = "", name: target = "", uid } = reference;
  const found = (resource: string, place: string | undefined): KubeObject => {
    const object = store.get(resource, place, target);
    if (!object) throw notFound(resource, target);
    if (uid && uid !== object.metadata.uid) {
      const message = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict(kind, target, message);
    }
    return object;
  };
  if (apiVersion === "v1" && kind === "Pod") {
    const pod = found("pods", namespace) as Pod;
    if (pod.spec.serviceAccountName !== name) {
      throw badRequest(
        `cannot bind token for serviceaccount "${name}" to pod running with different serviceaccount name.`,
      );
    }
    const { nodeName } = pod.spec;
    if (!nodeName) return { pod };
    return { pod, node: store.get<Node>("nodes", undefined, nodeName) ?? { metadata: { name: nodeName } } };
  }
  if (apiVersion === "v1" && kind === "Secret") return { secret: found("secrets", namespace) };
  if (apiVersion === "v1" && kind === "Node") return { node: found("nodes", undefined) as Node };
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}
