import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A private key and its certificates, PEM; the first is its own. */
export interface Identity {
  readonly key: string;
  readonly chain: string;
}

/** Who signs: the name in what it signed, and its key. */
export interface Authority extends Identity {
  readonly subject: x509.Name;
  readonly signingKey: webcrypto.CryptoKey;
}

export interface Wanted {
  /** `CN=alice, O=one`, or the parts where a value has what such a text cannot. */
  readonly subject: string | x509.JsonNameParams;
  readonly from?: number;
  readonly until?: number;
  /** Object identifiers of extended key usages; that of clients unless said. */
  readonly usages?: readonly string[];
  readonly hash?: "SHA-1" | "SHA-256";
  readonly authority?: boolean;
  readonly extensions?: readonly x509.Extension[];
}

x509.cryptoProvider.set(globalThis.crypto);
const curve = { name: "ECDSA", namedCurve: "P-256" };
const hour = 3_600_000;
export const clientAuth = x509.ExtendedKeyUsage.clientAuth;
export const serverAuth = x509.ExtendedKeyUsage.serverAuth;
export const anyUsage = "2.5.29.37.0";

export async function authorityOf(certificate: string, key: string): Promise<Authority> {
  const der = new Uint8Array(createPrivateKey(key).export({ format: "der", type: "pkcs8" }) as Buffer);
  const algorithm = { ...curve, hash: "SHA-256" };
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  return { key, chain: certificate, subject: new x509.X509Certificate(certificate).subjectName, signingKey };
}

/** A certificate that an authority signed, or that signed itself where there is none. */
export async function issue(wanted: Wanted, by?: Authority): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const subject = new x509.Name(wanted.subject);
  const usages = wanted.usages ?? [clientAuth];
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by?.subject ?? subject,
    publicKey: keys.publicKey,
    signingKey: by?.signingKey ?? keys.privateKey,
    signingAlgorithm: { ...curve, hash: wanted.hash ?? "SHA-256" },
    notBefore: new Date(now + (wanted.from ?? -1) * hour),
    notAfter: new Date(now + (wanted.until ?? 1) * hour),
    extensions: [
      new x509.BasicConstraintsExtension(wanted.authority ?? false, undefined, true),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension([...usages])] : []),
      ...(wanted.extensions ?? []),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
  const chain = certificate.toString("pem") + (by && wanted.authority !== true ? `\n${by.chain}` : "");
  return { key: key as string, chain, subject, signingKey: keys.privateKey };
}
