import { createPrivateKey, webcrypto, X509Certificate as Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
  if (Date.parse(new Certificate(text("server.crt")).validTo) < now + 30 * day)
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

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

async function createKey(path: string): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  save(
    path,
    createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }) as string,
  );
  return keys;
}

/** Loaded only where something is signed: at the first start and once a year. */
async function certificates() {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(globalThis.crypto);
  return x509;
}

async function createAuthority(file: FileOf, now: number): Promise<void> {
  const x509 = await certificates();
  const keys = await createKey(file("ca.key"));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=dhow",
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 3650 * day),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  save(file("ca.crt"), certificate.toString("pem"));
  await createKey(file("service-account.key"));
  save(file("admin.token"), randomToken());
  save(file("agent.token"), randomToken());
  await createServerCertificates(file, now);
  save(file("complete"), "");
}

/** What the API server shows, and what the ingress shows to hosts that have no certificate of their own. */
async function createServerCertificates(file: FileOf, now: number): Promise<void> {
  await createLeaf(
    file,
    "server",
    { subject: "CN=kube-apiserver", names: serverNames, addresses: serverAddresses },
    now,
  );
  await createLeaf(
    file,
    "ingress",
    { subject: "CN=dhow ingress", names: ["localhost", "*.localhost"], addresses: ["127.0.0.1"] },
    now,
  );
}

/** What kubelets show to an API server that reaches them by network, in `kubelet.crt` and `kubelet.key`. */
export function createKubeletCertificate(folder: string, address: string, now: number): Promise<void> {
  const leaf = { subject: "O=system:nodes, CN=dhow kubelet", names: ["localhost"], addresses: [address] };
  return createLeaf((name) => join(folder, name), "kubelet", leaf, now);
}

/** A client's certificate for a PKCS#10 request (PEM), signed by the cluster's authority; a year unless said, as Kubernetes' signers give. */
export async function signClientCertificate(
  pki: Pick<Pki, "ca" | "caKey">,
  asked: { readonly request: string; readonly seconds?: number },
): Promise<string> {
  const x509 = await certificates();
  const request = new x509.Pkcs10CertificateRequest(asked.request);
  if (!(await request.verify())) throw new Error("the request is not signed with its own key");
  const ca = new x509.X509Certificate(pki.ca);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subject,
    issuer: ca.subject,
    publicKey: request.publicKey,
    signingKey: await signingKeyOf(pki.caKey),
    signingAlgorithm: algorithm,
    // Clocks differ: from five minutes ago (pkg/controller/certificates/authority/policies.go).
    notBefore: new Date(now - 5 * 60_000),
    notAfter: new Date(now + (asked.seconds === undefined ? 365 * day : asked.seconds * 1000)),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  return certificate.toString("pem");
}

async function signingKeyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ format: "der", type: "pkcs8" });
  return webcrypto.subtle.importKey("pkcs8", new Uint8Array(der as Buffer), algorithm, false, ["sign"]);
}

interface Leaf {
  readonly subject: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

async function createLeaf(file: FileOf, name: string, leaf: Leaf, now: number): Promise<void> {
  const x509 = await certificates();
  const ca = new x509.X509Certificate(readFileSync(file("ca.crt"), "utf8"));
  const signingKey = await signingKeyOf(readFileSync(file("ca.key"), "utf8"));
  const keys = await createKey(file(`${name}.key`));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: leaf.subject,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 365 * day),
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      new x509.SubjectAlternativeNameExtension([
        ...leaf.names.map((value) => ({ type: "dns" as const, value })),
        ...leaf.addresses.map((value) => ({ type: "ip" as const, value })),
      ]),
    ],
  });
  save(file(`${name}.crt`), certificate.toString("pem"));
}
