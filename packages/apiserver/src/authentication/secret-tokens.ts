import type { KeyObject } from "node:crypto";
import type { Clock } from "@dhow/base";
import type { Secret, ServiceAccount } from "@dhow/kube";
import { jwtVerify } from "jose/jwt/verify";
import type { Store } from "../store.ts";

/** Who signs the tokens that Secrets of type kubernetes.io/service-account-token hold (pkg/serviceaccount/legacy.go). */
export const secretTokenIssuer = "kubernetes/serviceaccount";

const lastUsed = "kubernetes.io/legacy-token-last-used";
const invalidSince = "kubernetes.io/legacy-token-invalid-since";

export interface SecretTokenOptions {
  readonly publicKey: KeyObject;
  readonly store: Store;
  readonly clock: Clock;
}

/**
 * Whose token of a Secret it is. It has no end: it is good for as long as its Secret holds it and its account is there. Throws where it
 * is not. The day of its use is noted on the Secret, as the controller manager removes what nobody has used for long.
 */
export async function verifySecretToken(
  token: string,
  { publicKey, store, clock }: SecretTokenOptions,
): Promise<{ namespace: string; account: ServiceAccount }> {
  const currentDate = new Date(clock.now());
  const { payload } = await jwtVerify(token, publicKey, {
    issuer: secretTokenIssuer,
    currentDate,
    algorithms: ["ES256"],
  });
  const claim = (name: string) => {
    const value = payload[`kubernetes.io/serviceaccount/${name}`];
    return typeof value === "string" ? value : "";
  };
  const [namespace, name, secretName] = [claim("namespace"), claim("service-account.name"), claim("secret.name")];
  if (payload.sub !== `system:serviceaccount:${namespace}:${name}`) throw new Error("sub claim is invalid");
  const secret = store.get<Secret>("secrets", namespace, secretName);
  if (!secret || secret.metadata.deletionTimestamp) throw new Error("token has been invalidated");
  if (secret.data?.["token"] !== Buffer.from(token).toString("base64"))
    throw new Error("token does not match server's copy");
  if (secret.metadata.labels?.[invalidSince])
    throw new Error(`the token in secret ${secretName} has been marked invalid`);
  const account = store.get<ServiceAccount>("serviceaccounts", namespace, name);
  if (!account || account.metadata.deletionTimestamp) throw new Error(`service account ${name} is not there`);
  if (account.metadata.uid !== claim("service-account.uid"))
    throw new Error("service account UID does not match claim");
  await noteUse(store, secret, currentDate.toISOString().slice(0, 10));
  return { namespace, account };
}

async function noteUse(store: Store, { metadata }: Secret, today: string): Promise<void> {
  if (metadata.labels?.[lastUsed] === today) return;
  await store.modify("secrets", metadata.namespace, metadata.name ?? "", (current) => ({
    ...current,
    metadata: { ...current.metadata, labels: { ...current.metadata.labels, [lastUsed]: today } },
  }));
}
