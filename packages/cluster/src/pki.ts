import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { randomToken } from "@dhow/base";
import { writeIfOther } from "./write-if-other.ts";

/** Names and addresses by which the API server is reached; the last is its Service's address. */
const serverNames = [
  "localhost",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
];
const serverAddresses = ["127.0.0.1", "10.96.0.1"];

const day = 24 * 60 * 60 * 1000;

/** A cluster's own authority and what it signed. PEM throughout. */
export interface Pki {
  readonly ca: string;
  readonly caKey: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** Signs the tokens of service accounts (ES256). */
  readonly serviceAccountKey: string;
  readonly adminToken: string;
  readonly agentToken: string;
}

/** The cluster's keys: made at its first start, kept, and the server's certificate renewed in the month in which it would end. */
export async function loadPki(folder: string, now: number): Promise<Pki> {
  const file = (name: string) => join(folder, name);
  if (!existsSync(file("complete"))) await createAuthority(file, now);
  const text = (name: string) => readFileSync(file(name), "utf8");
  if (Date.parse(new X509Certificate(text("server.crt")).validTo) < now + 30 * day)
    await createServerCertificates(file, now);
  return {
    ca: text("ca.crt"),
    caKey: text("ca.key"),
    serverCertificate: text("server.crt"),
    serverKey: text("server.key"),
    serviceAccountKey: text("service-account.key"),
    adminToken: text("admin.token"),
    agentToken: text("agent.token"),
  };
}

type FileOf = (name: string) => string;

/** Whole or not at all: a half-written key would be loaded at the next start. */
function save(path: string, text: string): void {
  writeIfOther(path, text, 0o600);
}

const keyPair = promisify(generateKeyPair);

async function createKey(path: string): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  const keys = await keyPair("ec", { namedCurve: "P-256" });
  save(path, keys.privateKey.export({ format: "pem", type: "pkcs8" }) as string);
  return keys;
}

/** Loaded only where something is signed: at the first start and once a year. */
const certificates = () => import("./certificate.ts");

async function createAuthority(file: FileOf, now: number): Promise<void> {
  const x509 = await certificates();
  const [{ publicKey, privateKey }] = await Promise.all([
    createKey(file("ca.key")),
    createKey(file("service-account.key")),
  ]);
  const name = x509.nameOf({ commonName: "dhow" });
  const certificate = x509.createCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    notBefore: now - day,
    notAfter: now + 3650 * day,
    extensions: [
      x509.basicConstraints(true, true),
      x509.keyUsage("keyCertSign", "cRLSign", "digitalSignature"),
      x509.subjectKeyIdentifier(publicKey),
    ],
  });
  save(file("ca.crt"), certificate);
  save(file("admin.token"), randomToken());
  save(file("agent.token"), randomToken());
  await createServerCertificates(file, now);
  save(file("complete"), "");
}

/** What the API server shows, and what the ingress shows to hosts that have no certificate of their own. */
async function createServerCertificates(file: FileOf, now: number): Promise<void> {
  const ingress = { names: ["localhost", "*.localhost"], addresses: ["127.0.0.1"] };
  await Promise.all([
    createLeaf(file, "server", { commonName: "kube-apiserver", names: serverNames, addresses: serverAddresses }, now),
    createLeaf(file, "ingress", { commonName: "dhow ingress", ...ingress }, now),
  ]);
}

/** What kubelets show to an API server that reaches them by network, in `kubelet.crt` and `kubelet.key`. */
export function createKubeletCertificate(folder: string, address: string, now: number): Promise<void> {
  const subject = { organization: "system:nodes", commonName: "dhow kubelet" };
  const leaf = { ...subject, names: ["localhost"], addresses: [address] };
  return createLeaf((name) => join(folder, name), "kubelet", leaf, now);
}

/**
 * A client's certificate for a PKCS#10 request (PEM), signed by the cluster's authority: for a year, or for less where that is asked for
 * (pkg/controller/certificates/signer/signer.go, duration).
 */
export async function signClientCertificate(
  pki: Pick<Pki, "ca" | "caKey">,
  asked: { readonly request: string; readonly seconds?: number },
): Promise<string> {
  const x509 = await certificates();
  const { subject, publicKey } = x509.readRequest(asked.request);
  const authority = new X509Certificate(pki.ca);
  const now = Date.now();
  return x509.createCertificate({
    subject,
    issuer: x509.subjectOf(authority.raw),
    publicKey,
    signingKey: createPrivateKey(pki.caKey),
    // Clocks differ: from five minutes ago (pkg/controller/certificates/authority/policies.go).
    notBefore: now - 5 * 60_000,
    notAfter: now + Math.min(365 * day, (asked.seconds ?? Infinity) * 1000),
    extensions: [
      x509.keyUsage("digitalSignature", "keyEncipherment"),
      x509.extendedKeyUsage("clientAuth"),
      x509.basicConstraints(false, true),
      x509.authorityKeyIdentifier(authority.publicKey),
    ],
  });
}

interface Leaf {
  readonly organization?: string;
  readonly commonName: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

async function createLeaf(file: FileOf, name: string, leaf: Leaf, now: number): Promise<void> {
  const x509 = await certificates();
  const authority = new X509Certificate(readFileSync(file("ca.crt")));
  const { publicKey } = await createKey(file(`${name}.key`));
  const certificate = x509.createCertificate({
    subject: x509.nameOf(leaf),
    issuer: x509.subjectOf(authority.raw),
    publicKey,
    signingKey: createPrivateKey(readFileSync(file("ca.key"))),
    notBefore: now - day,
    notAfter: now + 365 * day,
    extensions: [
      x509.basicConstraints(false, false),
      x509.extendedKeyUsage("serverAuth"),
      x509.authorityKeyIdentifier(authority.publicKey),
      x509.subjectAlternativeNames(leaf.names, leaf.addresses),
    ],
  });
  save(file(`${name}.crt`), certificate);
}
