import { randomInt } from "node:crypto";
import { type KubeClient, type KubeObject, refOf, type Secret } from "@dhow/kube";
import { generatedAnnotation } from "@dhow/manifests";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * The Secret as it is to be applied: what its annotation asks for and the cluster does not have yet is made now; what the cluster
 * has is kept, so that a second run changes no password.
 */
export async function withGeneratedEntries(client: KubeClient, object: KubeObject): Promise<KubeObject> {
  const asked = object.kind === "Secret" ? object.metadata.annotations?.[generatedAnnotation] : undefined;
  if (asked === undefined) return object;
  const existing = (await client.find<Secret>(refOf(object)))?.data ?? {};
  const data: Record<string, string> = {};
  for (const [key, length] of asked.split(",").map((entry) => entry.split("=") as [string, string])) {
    data[key] = existing[key] ?? Buffer.from(randomText(Number(length))).toString("base64");
  }
  const texts = Object.entries((object as Secret).stringData ?? {}).map(([key, text]) => [
    key,
    Buffer.from(text).toString("base64"),
  ]);
  const { stringData: _, ...rest } = object as Secret;
  return { ...rest, data: { ...Object.fromEntries(texts), ...data } };
}

/** Letters and digits only: they need no escaping in a URL, a shell or a configuration file. */
function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
