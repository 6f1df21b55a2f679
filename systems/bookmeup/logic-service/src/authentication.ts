import { accessToken, ApiError, type SigningKey } from "@bookmeup/contract";
import type { Context } from "hono";

/** Gives the id of the user whom a request's access token names, or refuses with 401. */
export type Authenticate = (context: Context) => Promise<string>;

/** Loads what checks tokens. It takes as long as all the rest of the start, so the service listens first. */
export const loadVerification = () => import("jose/jwt/verify");

async function verify(token: string, keys: readonly SigningKey[]): Promise<string> {
  const { algorithm, issuer, audience } = accessToken;
  const find = ({ kid }: { kid?: string }) => {
    const key = keys.find(({ id }) => id === kid);
    if (!key)
      throw new ApiError(
        401,
        "INVALID_TOKEN",
        "This token was signed with a key that is not known here; sign in again",
      );
    return key.secret;
  };
  const { jwtVerify } = await loadVerification();
  const { payload } = await jwtVerify(token, find, {
    algorithms: [algorithm],
    issuer,
    audience,
    requiredClaims: ["sub", "exp"],
  });
  return payload.sub ?? "";
}

export function authenticator(keys: readonly SigningKey[]): Authenticate {
  return async (context) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "") ?? [];
    if (!token) throw new ApiError(401, "SIGNED_OUT", "Sign in first");
    try {
      return await verify(token, keys);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if ((error as { code?: string }).code === "ERR_JWT_EXPIRED")
        throw new ApiError(401, "TOKEN_EXPIRED", "The access token has expired; refresh it");
      throw new ApiError(401, "INVALID_TOKEN", "The access token is not valid");
    }
  };
}
