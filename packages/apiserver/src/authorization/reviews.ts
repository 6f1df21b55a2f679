import {
  badRequest,
  fieldFault,
  type FieldFault,
  invalid,
  type KubeObject,
  type LocalSubjectAccessReview,
  type PolicyRule,
  type ResourceAttributes,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
  type SubjectAccessReviewSpec,
} from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { AuthorizationAttributes } from "./attributes.ts";
import type { Authorizer } from "./authorizer.ts";

// pkg/registry/authorization, pkg/apis/authorization/validation

export interface ReviewContext {
  readonly user: UserInfo;
  readonly authorizer: Authorizer;
}

/** May the user himself do it? */
export function reviewSelf(object: KubeObject, { authorizer, user }: ReviewContext): KubeObject {
  const review = object as SubjectAccessReview;
  const faults = [...attributeFaults(review.spec)];
  if (faults.length > 0) throw invalid("authorization.k8s.io", "", "", faults);
  return answered(object, authorizer, attributesOf(review.spec, user));
}

/** May somebody else do it? */
export function reviewSubject(object: KubeObject, { authorizer }: ReviewContext): KubeObject {
  const review = object as SubjectAccessReview;
  const faults = [...attributeFaults(review.spec), ...subjectFaults(review.spec)];
  if (faults.length > 0) throw invalid("authorization.k8s.io", "", "", faults);
  const { extra, groups = [], uid, user = "" } = review.spec;
  const subject = { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
  return answered(object, authorizer, attributesOf(review.spec, subject));
}

/** The same within one namespace, so that its owner may ask. */
export function reviewLocalSubject(
  object: KubeObject,
  context: ReviewContext & { namespace: string | undefined },
): KubeObject {
  const { spec } = object as LocalSubjectAccessReview;
  if (spec?.resourceAttributes?.namespace !== context.namespace) {
    const message = "must match metadata.namespace";
    const fault = fieldFault.invalid(
      "spec.resourceAttributes.namespace",
      spec?.resourceAttributes?.namespace ?? "",
      message,
    );
    throw invalid("authorization.k8s.io", "", "", [fault]);
  }
  return reviewSubject(object, context);
}

/** All that the user may do in a namespace. */
export function reviewRules(object: KubeObject, { authorizer, user }: ReviewContext): KubeObject {
  const namespace = (object as SelfSubjectRulesReview).spec?.namespace;
  if (!namespace) throw badRequest("no namespace on request");
  const rules = authorizer.rulesOf(user, namespace);
  return {
    ...object,
    metadata: {},
    spec: {},
    status: {
      resourceRules: rules.filter((rule) => rule.resources?.length).map(resourceRule),
      nonResourceRules: rules
        .filter((rule) => rule.nonResourceURLs?.length)
        .map(({ nonResourceURLs, verbs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
    },
  };
}

function resourceRule({ apiGroups, resourceNames, resources, verbs }: PolicyRule) {
  return { verbs, apiGroups, resources, ...(resourceNames?.length ? { resourceNames } : {}) };
}

function answered(object: KubeObject, authorizer: Authorizer, attributes: AuthorizationAttributes): KubeObject {
  const { allowed, reason } = authorizer.authorize(attributes);
  return { ...object, status: { allowed, ...(reason ? { reason } : {}) } };
}

function attributesOf(
  { nonResourceAttributes, resourceAttributes }: SubjectAccessReviewSpec,
  user: UserInfo,
): AuthorizationAttributes {
  if (resourceAttributes) return { user, verb: resourceAttributes.verb ?? "", resource: targetOf(resourceAttributes) };
  return { user, verb: nonResourceAttributes?.verb ?? "", path: nonResourceAttributes?.path ?? "" };
}

function targetOf({
  group = "",
  name = "",
  namespace,
  resource = "",
  subresource = "",
  version = "",
}: ResourceAttributes) {
  return { group, version, resource, subresource, namespace: namespace || undefined, name };
}

function* attributeFaults(spec: SubjectAccessReviewSpec | undefined): Generator<FieldFault> {
  const { nonResourceAttributes, resourceAttributes } = spec ?? {};
  if (resourceAttributes && nonResourceAttributes) {
    yield fieldFault.invalid(
      "spec.nonResourceAttributes",
      { Path: nonResourceAttributes.path ?? "", Verb: nonResourceAttributes.verb ?? "" },
      "cannot be specified in combination with resourceAttributes",
    );
  } else if (!resourceAttributes && !nonResourceAttributes) {
    yield fieldFault.invalid(
      "spec.resourceAttributes",
      null,
      "exactly one of nonResourceAttributes or resourceAttributes must be specified",
    );
  }
}

function* subjectFaults({ groups = [], user }: SubjectAccessReviewSpec): Generator<FieldFault> {
  if (!user && groups.length === 0) {
    yield fieldFault.invalid("spec.user", user ?? "", "at least one of user or group must be specified");
  }
}
