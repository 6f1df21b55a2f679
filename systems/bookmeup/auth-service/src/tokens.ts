import { createHash, randomBytes } from "node:crypto";
import { accessToken, type User } from "@bookmeup/contract";
import type { Configuration } from "./configuration.ts";

/** A refresh token as its owner gets it, and as it is kept. It is random enough that a plain hash keeps it as safe as a slow one would. */
export interface RefreshToken {
  readonly token: string;
  readonly hash: string;
  readonly expiresAt: string;
}

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function newRefreshToken({ refreshTokenSeconds }: Configuration): RefreshToken {
  const token = randomBytes(32).toString("base64url");
  return { token, hash: hashToken(token), expiresAt: new Date(Date.now() + refreshTokenSeconds * 1000).toISOString() };
}

/** Loads what signs. It takes as long as all the rest of the start, so the service listens first. */
export const loadSigning = () => import("jose/jwt/sign");

/** A JWT that says who somebody is, for a short time. */
export async function signAccessToken(user: User, { key, accessTokenSeconds }: Configuration): Promise<string> {
  const { SignJWT } = await loadSigning();
  return new SignJWT()
    .setProtectedHeader({ alg: accessToken.algorithm, typ: "JWT", kid: key.id })
    .setSubject(user.id)
    .setIssuer(accessToken.issuer)
    .setAudience(accessToken.audience)
    .setIssuedAt()
    .setExpirationTime(`${accessTokenSeconds} s`)
    .sign(key.secret);
}
