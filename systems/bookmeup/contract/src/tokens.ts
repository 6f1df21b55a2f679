import { createHash } from "node:crypto";

/** What both ends of an access token (a JWT, HS256) agree on: auth-service signs, logic-service checks. */
export const accessToken = { algorithm: "HS256", issuer: "bookmeup", audience: "bookmeup" } as const;

export interface SigningKey {
  /** The `kid` of a token's header: says which secret signed it, and nothing about the secret. */
  readonly id: string;
  readonly secret: Uint8Array;
}

export function signingKey(secret: string): SigningKey {
  const id = createHash("sha256").update(`bookmeup key id ${secret}`).digest("base64url").slice(0, 8);
  return { id, secret: new TextEncoder().encode(secret) };
}

/** RFC 7518, section 3.2: a key for HS256 has at least as many bits as the hash. */
export const shortestSecret = 32;
