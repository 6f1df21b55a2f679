import { badRequest, type KubeObject, type TokenReview } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { Authenticator } from "./authenticator.ts";

// pkg/registry/authentication

/** Who am I? */
export function reviewMyself(object: KubeObject, user: UserInfo): KubeObject {
  return { ...object, status: { userInfo: shown(user) } };
}

/** Whose is this token? */
export async function reviewToken(object: KubeObject, authenticator: Authenticator): Promise<KubeObject> {
  const { spec } = object as TokenReview;
  if (!spec?.token) throw badRequest("token is required for TokenReview in authentication");
  const found = await authenticator.userOfToken(spec.token, spec.audiences);
  if (!found) return { ...object, status: { user: {}, error: "invalid bearer token" } };
  const { audiences, user } = found;
  return {
    ...object,
    status: { authenticated: true, user: shown(user), ...(audiences.length > 0 ? { audiences } : {}) },
  };
}

function shown({ extra, groups, name, uid }: UserInfo): Record<string, unknown> {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}
