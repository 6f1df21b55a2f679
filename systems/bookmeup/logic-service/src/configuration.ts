import { shortestSecret, signingKey } from "@bookmeup/contract";
import { optionalEnvironment, refuseConfiguration, requiredEnvironment } from "@dhow/service";

/** The settings of logic-service, read once at the start. */
export function readConfiguration() {
  const dataUrl = requiredEnvironment("DB_SERVICE_URL");
  const secret = requiredEnvironment("JWT_SECRET_KEY");
  if (secret.length < shortestSecret)
    refuseConfiguration(`JWT_SECRET_KEY has ${secret.length} characters; give at least ${shortestSecret} random ones`);
  const other = optionalEnvironment("JWT_OTHER_SECRET_KEY");
  // While the key is being changed: the next one before the change, the last one after it, until its tokens have expired.
  return { dataUrl, keys: [secret, ...(other === undefined ? [] : [other])].map(signingKey) };
}

export type Configuration = ReturnType<typeof readConfiguration>;
