import assert from "node:assert/strict";
import { createPrivateKey, type webcrypto, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dhow/testkit";
import { createKubeletCertificate, loadPki, signClientCertificate } from "../src/pki.ts";

const now = Date.now();
const year = 365 * 24 * 60 * 60 * 1000;

test("an authority is made once and kept; the server's certificate is signed by it and carries the names by which it is reached", async () => {
  using folder = temporaryFolder();
  const first = await loadPki(folder.path, now);
  assert.deepEqual(await loadPki(folder.path, now), first);
  const ca = new X509Certificate(first.ca);
  const server = new X509Certificate(first.serverCertificate);
  assert.ok(ca.ca && server.verify(ca.publicKey) && server.checkIssued(ca));
  assert.ok(server.checkPrivateKey(createPrivateKey(first.serverKey)));
  for (const name of ["localhost", "kubernetes.default.svc"]) assert.equal(server.checkHost(name), name);
  for (const address of ["127.0.0.1", "10.96.0.1"]) assert.equal(server.checkIP(address), address);
  assert.notEqual(first.adminToken, first.agentToken);
});

test("every key and token is readable by its owner only", async () => {
  using folder = temporaryFolder();
  await loadPki(folder.path, now);
  for (const name of readdirSync(folder.path)) assert.equal(statSync(join(folder.path, name)).mode & 0o077, 0, name);
});

test("a certificate that ends within a month is renewed, and the authority stays", async () => {
  using folder = temporaryFolder();
  const first = await loadPki(folder.path, now);
  const later = await loadPki(folder.path, now + year);
  assert.equal(later.ca, first.ca);
  assert.notEqual(later.serverCertificate, first.serverCertificate);
  assert.ok(new X509Certificate(later.serverCertificate).verify(new X509Certificate(first.ca).publicKey));
});

test("an authority whose making was interrupted is made anew", async () => {
  using folder = temporaryFolder();
  const first = await loadPki(folder.path, now);
  rmSync(join(folder.path, "complete"));
  const second = await loadPki(folder.path, now);
  assert.notEqual(second.ca, first.ca);
  assert.ok(new X509Certificate(second.serverCertificate).verify(new X509Certificate(second.ca).publicKey));
});

/** Reads and writes certificates without a line of ours. */
async function other() {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(globalThis.crypto);
  return x509;
}

const day = 24 * 60 * 60 * 1000;

test("certificates say what they are for, as another library reads them", async () => {
  using folder = temporaryFolder();
  const { ca, serverCertificate } = await loadPki(folder.path, now);
  const x509 = await other();
  const authority = new x509.X509Certificate(ca);
  assert.ok(await authority.isSelfSigned());
  assert.equal(authority.getExtension(x509.BasicConstraintsExtension)?.ca, true);
  const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;
  assert.equal(authority.getExtension(x509.KeyUsagesExtension)?.usages, keyCertSign | cRLSign | digitalSignature);
  const server = new x509.X509Certificate(serverCertificate);
  assert.equal(server.subject, "CN=kube-apiserver");
  assert.equal(server.getExtension(x509.BasicConstraintsExtension)?.ca, false);
  assert.deepEqual(
    [...(server.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [])],
    [x509.ExtendedKeyUsage.serverAuth],
  );
  assert.equal(
    server.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId,
    authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
  );
});

test("a kubelet's certificate carries its address, of either family", async () => {
  using folder = temporaryFolder();
  await loadPki(folder.path, now);
  for (const address of ["192.0.2.7", "::1", "fd00::1:2", "2001:db8:0:0:0:0:0:ff"]) {
    await createKubeletCertificate(folder.path, address, now);
    const certificate = new X509Certificate(readFileSync(join(folder.path, "kubelet.crt")));
    assert.equal(certificate.checkIP(address), address);
    assert.equal(certificate.subject, "O=system:nodes\nCN=dhow kubelet");
  }
});

const requestAlgorithms = [
  { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  { name: "Ed25519" },
];

test("a request for a client's certificate is signed whatever its key is: its subject and key, at most a year", async () => {
  using folder = temporaryFolder();
  const pki = await loadPki(folder.path, now);
  const x509 = await other();
  for (const algorithm of requestAlgorithms) {
    const keys = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
    const name = "CN=jane, O=developers, O=system:tëst";
    const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });
    const days = async (seconds?: number) => {
      const asked = { request: request.toString("pem"), ...(seconds === undefined ? {} : { seconds }) };
      const certificate = new X509Certificate(await signClientCertificate(pki, asked));
      assert.ok(certificate.verify(new X509Certificate(pki.ca).publicKey));
      assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
      const { subject, publicKey } = new x509.X509Certificate(certificate.raw);
      assert.equal(subject, name);
      assert.deepEqual(publicKey.rawData, request.publicKey.rawData);
      return Math.round((Date.parse(certificate.validTo) - Date.now()) / day);
    };
    assert.equal(await days(), 365);
    assert.equal(await days(7 * 24 * 3600), 7);
    assert.equal(await days(3650 * 24 * 3600), 365);
  }
});

test("what is no request, or is not signed with its own key, is refused", async () => {
  using folder = temporaryFolder();
  const pki = await loadPki(folder.path, now);
  const x509 = await other();
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=jane",
    keys,
    signingAlgorithm: algorithm,
  });
  const der = Buffer.from(request.rawData);
  const pem = (bytes: Uint8Array) => new x509.Pkcs10CertificateRequest(bytes).toString("pem");
  const forged = Buffer.from(der);
  forged.write("mary", forged.indexOf("jane"));
  await assert.rejects(signClientCertificate(pki, { request: pem(forged) }), /not signed with its own key/);
  for (const text of ["", "nonsense", pki.ca, pem(der).replace(/\n[^\n]+\n-----END/, "\n-----END")]) {
    await assert.rejects(signClientCertificate(pki, { request: text }), Error, text);
  }
});
