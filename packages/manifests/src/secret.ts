import type { Secret as SecretObject } from "@dhow/kube";
import type { Secret, SecretEntry } from "@dhow/model";
import type { Context } from "./context.ts";
import { metadata } from "./metadata.ts";

/** Names the keys of a Secret that are made where it is applied, and how long each is: `POSTGRES_PASSWORD=32,JWT_SECRET_KEY=64`. */
export const generatedAnnotation = "dhow.dev/generated";

export function compileSecret(secret: Secret, context: Context): SecretObject[] {
  return [secretObject(context, secret.name, secret.entries)];
}

/** A Secret without what is generated: that is in the cluster alone. */
export function secretObject(
  context: Context,
  name: string,
  entries: Readonly<Record<string, SecretEntry>>,
): SecretObject {
  const texts: Record<string, string> = {};
  const made: string[] = [];
  for (const [key, value] of Object.entries(entries)) {
    if (typeof value === "string") texts[key] = value;
    else if (value.kind === "generated") made.push(`${key}=${value.length}`);
  }
  const meta = metadata(context, name);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: made.length > 0 ? { ...meta, annotations: { [generatedAnnotation]: made.join(",") } } : meta,
    type: "Opaque",
    ...(Object.keys(texts).length > 0 && { stringData: texts }),
  };
}
