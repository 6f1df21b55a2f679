import type { Page } from "../http/pages.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

/** Where others find out how to check tokens of service accounts (OpenID Connect Discovery 1.0; pkg/routes/openidmetadata.go). */
export function issuerPages(
  tokens: ServiceAccountTokens | undefined,
  advertise: { readonly address: string; readonly port: number },
): Page[] {
  if (!tokens) return [];
  return [
    async ({ method, path }) => {
      if (method !== "GET") return undefined;
      if (path === "/openid/v1/jwks") return answer("application/jwk-set+json", await tokens.keys());
      if (path !== "/.well-known/openid-configuration") return undefined;
      return answer("application/json", tokens.configuration(advertise));
    },
  ];
}

function answer(type: string, value: unknown) {
  const headers = { "content-type": type, "cache-control": "public, max-age=3600" };
  return { status: 200, headers, body: JSON.stringify(value) };
}
