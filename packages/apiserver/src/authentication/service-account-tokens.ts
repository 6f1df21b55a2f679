import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import type { Clock } from "@dhow/base";
import type { KubeObject, Node, Pod, ServiceAccount } from "@dhow/kube";
import type { JWK, JWTPayload } from "jose";
import { SignJWT } from "jose/jwt/sign";
import { jwtVerify } from "jose/jwt/verify";
import { exportJWK } from "jose/key/export";
import type { UserInfo } from "../admission.ts";
import type { Store } from "../store.ts";
import { secretTokenIssuer, verifySecretToken } from "./secret-tokens.ts";

export interface ServiceAccountTokenOptions {
  /** PEM (PKCS#8 or SEC 1) of an ES256 key: curve P-256. */
  readonly key: string;
  readonly clock: Clock;
  readonly store: Store;
  /** Who signs, and the audience that the API server itself accepts. */
  readonly issuer?: string;
}

interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** The private claims (pkg/serviceaccount/claims.go). */
interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: Reference;
  readonly pod?: Reference;
  readonly secret?: Reference;
  readonly node?: Reference;
  readonly warnafter?: number;
}

export interface TokenRequest {
  readonly account: ServiceAccount;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly pod?: Pod;
  readonly secret?: KubeObject;
  readonly node?: { readonly metadata: Node["metadata"] };
}

const defaultIssuer = "https://kubernetes.default.svc.cluster.local";
/** Deleted accounts, pods and secrets count this much longer (jwt.DefaultLeeway). */
const leewayMilliseconds = 60_000;
const knownTokensLimit = 1000;

/** Signs and checks the tokens of service accounts: JWTs that say whose they are, for whom, until when, and to which pod they belong. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #options: ServiceAccountTokenOptions;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  /** Signatures that were checked already; what the claims name is looked at every time. */
  readonly #known = new Map<string, JWTPayload>();

  constructor(options: ServiceAccountTokenOptions) {
    this.#options = options;
    this.issuer = options.issuer ?? defaultIssuer;
    this.#privateKey = createPrivateKey(options.key);
    this.#publicKey = createPublicKey(this.#privateKey);
    const der = this.#publicKey.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(der).digest("base64url");
  }

  async sign(request: TokenRequest): Promise<string> {
    const { account, node, pod, secret } = request;
    const claims: KubernetesClaims = {
      namespace: account.metadata.namespace ?? "",
      ...(node ? { node: referenceTo(node) } : {}),
      ...(pod ? { pod: referenceTo(pod) } : {}),
      ...(secret ? { secret: referenceTo(secret) } : {}),
      serviceaccount: referenceTo(account),
    };
    const now = Math.floor(this.#options.clock.now() / 1000);
    return await new SignJWT({ "kubernetes.io": claims })
      .setProtectedHeader({ alg: "ES256", kid: this.#keyId })
      .setIssuer(this.issuer)
      .setSubject(userNameOf(account))
      .setAudience([...request.audiences])
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + request.expirationSeconds)
      .setJti(randomUUID())
      .sign(this.#privateKey);
  }

  /**
   * Whose token it is. Undefined where it is none of ours (another issuer, not a JWT at all); throws where it is ours and no longer good.
   * `audiences`: for whom it must be; any one of them will do.
   */
  async verify(token: string, audiences: readonly string[] = [this.issuer]): Promise<VerifiedToken | undefined> {
    const issuer = issuerOf(token);
    if (issuer === secretTokenIssuer) return this.#verifySecretToken(token, audiences);
    if (issuer !== this.issuer) return undefined;
    const payload = await this.#payload(token);
    const accepted = [payload.aud ?? []].flat().filter((audience) => audiences.includes(audience));
    if (accepted.length === 0)
      throw new Error(`token audiences ${JSON.stringify(payload.aud)} is invalid for the target audiences`);
    const claims = payload["kubernetes.io"] as KubernetesClaims | undefined;
    if (!claims?.serviceaccount) throw new Error("service account token has no account");
    this.#checkAgainstStore(claims);
    return { user: userOf(claims, payload.jti), audiences: accepted };
  }

  /** `/openid/v1/jwks` */
  async keys(): Promise<{ keys: JWK[] }> {
    return { keys: [{ use: "sig", kid: this.#keyId, alg: "ES256", ...(await exportJWK(this.#publicKey)) }] };
  }

  /** `/.well-known/openid-configuration` */
  configuration(advertised: { address: string; port: number }): Record<string, unknown> {
    return {
      issuer: this.issuer,
      jwks_uri: `https://${advertised.address}:${advertised.port}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    };
  }

  /** Such a token names no audience: it is for the API server itself. */
  async #verifySecretToken(token: string, audiences: readonly string[]): Promise<VerifiedToken> {
    if (!audiences.includes(this.issuer)) throw new Error("the token of a Secret is for the API server only");
    const { store, clock } = this.#options;
    const { namespace, account } = await verifySecretToken(token, { publicKey: this.#publicKey, store, clock });
    return { user: userOf({ namespace, serviceaccount: referenceTo(account) }, undefined), audiences: [this.issuer] };
  }

  async #payload(token: string): Promise<JWTPayload> {
    const known = this.#known.get(token);
    if (known) {
      if ((known.exp ?? 0) * 1000 <= this.#options.clock.now()) throw new Error("service account token has expired");
      return known;
    }
    const currentDate = new Date(this.#options.clock.now());
    const { payload } = await jwtVerify(token, this.#publicKey, {
      issuer: this.issuer,
      currentDate,
      clockTolerance: 60,
      algorithms: ["ES256"],
    });
    if (this.#known.size >= knownTokensLimit) this.#known.delete(this.#known.keys().next().value ?? "");
    this.#known.set(token, payload);
    return payload;
  }

  /** A token dies with its account, pod, secret or node. */
  #checkAgainstStore(claims: KubernetesClaims): void {
    const { node, pod, secret, serviceaccount } = claims;
    const account = this.#find("serviceaccounts", claims.namespace, serviceaccount.name);
    if (!account) throw new Error(`serviceaccounts "${serviceaccount.name}" not found`);
    if (account.metadata.uid !== serviceaccount.uid) {
      throw new Error(`service account UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`);
    }
    this.#checkBound("secrets", claims.namespace, secret);
    this.#checkBound("pods", claims.namespace, pod);
    if (!pod) this.#checkBound("nodes", undefined, node);
  }

  #checkBound(resource: string, namespace: string | undefined, reference: Reference | undefined): void {
    if (!reference) return;
    const object = this.#find(resource, namespace, reference.name);
    if (!object) throw new Error("service account token has been invalidated");
    if (object.metadata.uid !== reference.uid) {
      throw new Error(`${resource.slice(0, -1)} UID (${object.metadata.uid}) does not match claim (${reference.uid})`);
    }
  }

  #find(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    const object = this.#options.store.get(resource, namespace, name);
    const deleted = object?.metadata.deletionTimestamp;
    if (deleted && Date.parse(deleted) < this.#options.clock.now() - leewayMilliseconds) return undefined;
    return object;
  }
}

export interface VerifiedToken {
  readonly user: UserInfo;
  /** Those of the accepted audiences that the token is for. */
  readonly audiences: readonly string[];
}

/** Undefined for what is no JWT. */
function issuerOf(token: string): unknown {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString());
    return typeof payload === "object" && payload !== null && "iss" in payload ? payload.iss : undefined;
  } catch {
    return undefined;
  }
}

function referenceTo({ metadata }: { readonly metadata: KubeObject["metadata"] }): Reference {
  return { name: metadata.name ?? "", uid: metadata.uid ?? "" };
}

function userNameOf({ metadata }: ServiceAccount): string {
  return `system:serviceaccount:${metadata.namespace}:${metadata.name}`;
}

/** apiserver/pkg/authentication/serviceaccount/util.go */
function userOf({ namespace, node, pod, serviceaccount }: KubernetesClaims, jti: string | undefined): UserInfo {
  const extra: Record<string, string[]> = {};
  if (pod) {
    extra["authentication.kubernetes.io/pod-name"] = [pod.name];
    extra["authentication.kubernetes.io/pod-uid"] = [pod.uid];
  }
  if (jti) extra["authentication.kubernetes.io/credential-id"] = [`JTI=${jti}`];
  if (node) {
    extra["authentication.kubernetes.io/node-name"] = [node.name];
    if (node.uid) extra["authentication.kubernetes.io/node-uid"] = [node.uid];
  }
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}
