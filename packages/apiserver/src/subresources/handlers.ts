import type { Clock } from "@dhow/base";
import {
  type Binding,
  type Eviction,
  badRequest,
  type HttpResponse,
  internalError,
  type KubeObject,
  notFound,
  parseJson,
  type Pod,
  type TokenRequest,
  unknownMethod,
} from "@dhow/kube";
import { customScale } from "../custom/scale.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import { reviewMyself, reviewToken } from "../authentication/reviews.ts";
import type { ServiceAccountTokens } from "../authentication/service-account-tokens.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { reviewLocalSubject, reviewRules, reviewSelf, reviewSubject } from "../authorization/reviews.ts";
import { decodeBody, textOf } from "../http/decode.ts";
import type { Exchange } from "../http/dispatch.ts";
import { negotiate } from "../http/negotiation.ts";
import { renderObject } from "../http/render.ts";
import { parseDeleteOptions } from "../registry/delete-options.ts";
import { deleteObject } from "../registry/delete.ts";
import { parseWriteOptions } from "../registry/options.ts";
import { admit, attributesOf, validateAdmission } from "../registry/registry.ts";
import { bindPod } from "./binding.ts";
import { certificateApproval } from "./certificate-approval.ts";
import { markEvicted, takeDisruption } from "./eviction.ts";
import { namespaceFinalize } from "./namespace-finalize.ts";
import { ephemeralContainers, resize } from "./pod-parts.ts";
import { scale } from "./scale.ts";
import { requestToken } from "./token.ts";
import { serveView, type View } from "./view.ts";

export interface SubresourceParts {
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Undefined where the server has no key to sign with. */
  readonly tokens: ServiceAccountTokens | undefined;
}

type Handler = (exchange: Exchange) => Promise<HttpResponse>;

/** What answers for subresources that are no part of the stored object (`pods/eviction`), and for resources that are not stored at all (`tokenreviews.authentication.k8s.io`). */
export function subresourceHandlers(parts: SubresourceParts): Readonly<Record<string, Handler>> {
  return { ...viewHandlers, ...podHandlers(parts), ...accountHandlers(parts), ...virtualResources(parts) };
}

const view =
  (what: View): Handler =>
  (exchange) =>
    serveView(exchange, what);

const viewHandlers: Readonly<Record<string, Handler>> = {
  "*/scale"(exchange) {
    const paths = exchange.call.resource.custom?.scale;
    if (!paths) throw unknownMethod();
    return serveView(exchange, customScale(paths));
  },
  "deployments.apps/scale": view(scale),
  "replicasets.apps/scale": view(scale),
  "statefulsets.apps/scale": view(scale),
  "replicationcontrollers/scale": view(scale),
  "namespaces/finalize": view(namespaceFinalize),
  "pods/ephemeralcontainers": view(ephemeralContainers),
  "pods/resize": view(resize),
  "certificatesigningrequests.certificates.k8s.io/approval": view(certificateApproval),
};

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The first kind, unless the body says that it is one of the others. */
function spokenKind({ call }: Exchange, [first, ...others]: readonly [Kind, ...Kind[]]): Kind {
  if (others.length === 0 || call.contentType !== "application/json") return first;
  const { apiVersion } = (parseJson(textOf(call.body)) ?? {}) as Partial<Kind>;
  return others.find((one) => one.apiVersion === apiVersion) ?? first;
}

/** A POST whose body is of a kind of its own: looked at by admission, answered, not stored. */
function action(
  kinds: readonly [Kind, ...Kind[]],
  act: (object: KubeObject, exchange: Exchange, dryRun: boolean) => KubeObject | Promise<KubeObject>,
  status = 201,
): Handler {
  return async (exchange) => {
    const { accept, call, registry, renderer, verb } = exchange;
    if (verb !== "create") throw unknownMethod();
    const how = negotiate(accept, call.query, false);
    const options = parseWriteOptions("CreateOptions", call.query);
    const object = decodeBody(call, spokenKind(exchange, kinds), options.fieldValidation);
    const { dryRun } = options;
    const attributes = attributesOf(call, "CREATE", {
      dryRun,
      object,
      old: undefined,
      options: { kind: "CreateOptions" },
    });
    await admit(registry, attributes);
    await validateAdmission(registry, attributes);
    return renderObject(renderer, undefined, { status, object: await act(object, exchange, dryRun) }, how);
  };
}

function podHandlers({ clock }: SubresourceParts): Record<string, Handler> {
  const bind = action([{ apiVersion: "v1", kind: "Binding" }], (object, { call, registry }, dryRun) => {
    const name = call.name || (object.metadata.name ?? "");
    return bindPod(object as Binding, { store: registry.store, clock, namespace: call.namespace, name, dryRun });
  });
  // The older version has the same fields; kubectl up to 1.21 drains by it (eviction.go AcceptsGroupVersion).
  const evictions = [
    { apiVersion: "policy/v1", kind: "Eviction" },
    { apiVersion: "policy/v1beta1", kind: "Eviction" },
  ] as const;
  return {
    "pods/binding": bind,
    bindings: bind,
    "pods/eviction": action(evictions, (object, exchange, dryRun) =>
      evict(object as Eviction, exchange, clock, dryRun),
    ),
  };
}

async function evict(
  eviction: Eviction,
  { call, registry }: Exchange,
  clock: Clock,
  dryRun: boolean,
): Promise<KubeObject> {
  const { name, namespace } = call;
  if (eviction.metadata.name !== name) throw badRequest("name in URL does not match name in Eviction object");
  const given: Record<string, unknown> = { ...eviction.deleteOptions };
  const options = parseDeleteOptions(dryRun ? { ...given, dryRun: ["All"] } : given, call.query);
  const pod = registry.store.get<Pod>("pods", namespace, name);
  if (!pod) throw notFound("pods", name);
  const context = { store: registry.store, clock, dryRun: options.dryRun };
  await takeDisruption(pod, context);
  if (!options.dryRun) await markEvicted(pod, context);
  // The mark changed the version that a caller may have named; its own check is over.
  const preconditions = options.preconditions.uid ? { uid: options.preconditions.uid } : {};
  await deleteObject(registry, { ...call, subresource: "" }, { ...options, preconditions });
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}

function accountHandlers({ clock, tokens }: SubresourceParts): Record<string, Handler> {
  const kind = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest" };
  return {
    "serviceaccounts/token": action([kind], (object, { call, registry }) => {
      if (!tokens) throw internalError("this server has no key to sign tokens of service accounts with");
      const { name, namespace } = call;
      return requestToken(object as TokenRequest, { store: registry.store, clock, tokens, namespace, name });
    }),
  };
}

/** Questions that are asked by creating an object and answered in its status. */
export function virtualResources({ authenticator, authorizer }: SubresourceParts): Record<string, Handler> {
  const ask = (
    group: string,
    kind: string,
    answer: (object: KubeObject, exchange: Exchange) => KubeObject | Promise<KubeObject>,
  ) => action([{ apiVersion: `${group}/v1`, kind }], answer);
  const access = "authorization.k8s.io";
  const identity = "authentication.k8s.io";
  return {
    [`selfsubjectaccessreviews.${access}`]: ask(access, "SelfSubjectAccessReview", (object, { call }) =>
      reviewSelf(object, { authorizer, user: call.user }),
    ),
    [`subjectaccessreviews.${access}`]: ask(access, "SubjectAccessReview", (object, { call }) =>
      reviewSubject(object, { authorizer, user: call.user }),
    ),
    [`localsubjectaccessreviews.${access}`]: ask(access, "LocalSubjectAccessReview", (object, { call }) =>
      reviewLocalSubject(object, { authorizer, user: call.user, namespace: call.namespace }),
    ),
    [`selfsubjectrulesreviews.${access}`]: ask(access, "SelfSubjectRulesReview", (object, { call }) =>
      reviewRules(object, { authorizer, user: call.user }),
    ),
    [`selfsubjectreviews.${identity}`]: ask(identity, "SelfSubjectReview", (object, { call }) =>
      reviewMyself(object, call.user),
    ),
    [`tokenreviews.${identity}`]: ask(identity, "TokenReview", (object) => reviewToken(object, authenticator)),
  };
}
