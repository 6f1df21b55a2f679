import { shortestSecret, signingKey } from "@bookmeup/contract";
import { optionalEnvironment, refuseConfiguration, requiredEnvironment } from "@dhow/service";

/** The settings of logic-service, read once at the start. */
export function readConfiguration() {
  const dataUrl = requiredEnvironment("DB_SERVICE_URL");
  const secret = requiredEnvironment("JWT_SECRET_KEY");
  if (secret.length < shortestSecret)
    refuseConfiguration(`JWT_SECRET_KEY has ${secret.length} characters; give at least ${shortestSecret} random ones`);
  const previous = optionalEnvironment("JWT_PREVIOUS_SECRET_KEY");
  // While a key is being changed, tokens of the one before hold until they expire.
  return { dataUrl, keys: [secret, ...(previous === undefined ? [] : [previous])].map(signingKey) };
}

export type Configuration = ReturnType<typeof readConfiguration>;
