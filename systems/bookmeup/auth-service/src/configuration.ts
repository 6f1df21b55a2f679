import { shortestSecret, signingKey } from "@bookmeup/contract";
import { numberEnvironment, refuseConfiguration, requiredEnvironment } from "@dhow/service";

const day = 86_400;

/** The settings of auth-service, read once at the start. */
export function readConfiguration() {
  const dataUrl = requiredEnvironment("DB_SERVICE_URL");
  const secret = requiredEnvironment("JWT_SECRET_KEY");
  if (secret.length < shortestSecret)
    refuseConfiguration(`JWT_SECRET_KEY has ${secret.length} characters; give at least ${shortestSecret} random ones`);
  return {
    dataUrl,
    key: signingKey(secret),
    accessTokenSeconds: numberEnvironment("ACCESS_TOKEN_SECONDS", 600, [1, day]),
    refreshTokenSeconds: numberEnvironment("REFRESH_TOKEN_SECONDS", 30 * day, [60, 365 * day]),
    refreshLeewaySeconds: numberEnvironment("REFRESH_LEEWAY_SECONDS", 10, [0, 60]),
  };
}

export type Configuration = ReturnType<typeof readConfiguration>;
