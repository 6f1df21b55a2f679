import { randomBytes, randomInt, randomUUID } from "node:crypto";

/** The alphabet of Kubernetes' generated names: no vowels and no look-alikes (apimachinery/pkg/util/rand/rand.go). */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A random suffix that is safe in a DNS label. */
export function randomSuffix(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/** A random version 4 UUID. */
export function uid(): string {
  return randomUUID();
}

/** A secret of `bytes` random bytes, base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString("base64url");
}
