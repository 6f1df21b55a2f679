import { createSecureContext, type SecureContext } from "node:tls";
import type { Secret } from "@dhow/kube";
import type { Collection } from "../network/objects.ts";

export interface CertificatePair {
  /** PEM: the certificate and those that vouch for it. */
  readonly certificate: string;
  readonly key: string;
}

/** TLS contexts from Secrets of type kubernetes.io/tls, made once for each version of a Secret. */
export class Certificates {
  readonly #secrets: Collection<Secret>;
  readonly #made = new WeakMap<Secret, SecureContext | undefined>();

  constructor(secrets: Collection<Secret>) {
    this.#secrets = secrets;
  }

  /** `name` is `namespace/name`; undefined where there is no such Secret or nothing usable in it, and the default serves. */
  context(name: string): SecureContext | undefined {
    const [namespace, secretName = ""] = name.split("/");
    const secret = this.#secrets.get(namespace, secretName);
    if (secret === undefined) return undefined;
    if (!this.#made.has(secret)) this.#made.set(secret, makeContext(secret));
    return this.#made.get(secret);
  }
}

function makeContext({ data }: Secret): SecureContext | undefined {
  const [cert, key] = ["tls.crt", "tls.key"].map((name) => Buffer.from(data?.[name] ?? "", "base64").toString());
  if (!cert || !key) return undefined;
  try {
    return createSecureContext({ cert, key });
  } catch {
    return undefined;
  }
}
