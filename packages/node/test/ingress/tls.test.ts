import "reflect-metadata";
import assert from "node:assert/strict";
import { type Server } from "node:net";
import { test } from "node:test";
import { connect, type PeerCertificate } from "node:tls";
import { X509CertificateGenerator } from "@peculiar/x509";
import { ask, IngressFixture, rule } from "./fixture.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate that vouches for itself. */
async function selfSigned(name: string): Promise<{ certificate: string; key: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const bytes = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${bytes}\n-----END PRIVATE KEY-----\n`;
  return { certificate: certificate.toString("pem"), key };
}

/** Whose certificate is shown, and what is answered to one GET. */
function askSecurely(port: number, host: string): Promise<{ peer: PeerCertificate; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername: host, rejectUnauthorized: false }, () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    const peer = () => socket.getPeerCertificate();
    let text = "";
    let shown = {} as PeerCertificate;
    socket.on("secureConnect", () => (shown = peer()));
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("end", () => resolve({ peer: shown, text }));
    socket.on("error", reject);
  });
}

test("serves TLS with the host's own certificate, and with the default one elsewhere", async () => {
  const [own, renewed, fallback] = await Promise.all(["own.test", "renewed.test", "fallback"].map(selfSigned));
  assert.ok(own && renewed && fallback);
  await using ingress = new IngressFixture({ defaultCertificate: fallback, ports: { http: 8080, https: 8443 } });
  ingress.service("web", [
    await ingress.pod((request, response) => response.end(request.headers["x-forwarded-proto"])),
  ]);
  ingress.ingress("a", {
    rules: [rule("own.test", { "/": "web" }), rule("plain.test", { "/": "web" })],
    tls: [{ hosts: ["own.test"], secretName: "own-tls" }],
  });
  const secret = (pair: { certificate: string; key: string }) => {
    const data = { "tls.crt": btoa(pair.certificate), "tls.key": btoa(pair.key) };
    const metadata = { name: "own-tls", namespace: "shop" };
    ingress.objects.certificates.put({ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata, data });
  };
  const http = await ingress.httpDoor();
  assert.equal(
    (await ask(http, "/", { host: "own.test" })).status,
    200,
    "without a door for TLS there is nothing to redirect to",
  );
  const https = await ingress.door((server: Server) => ingress.controller.attach(server, "https"));

  assert.equal((await askSecurely(https, "own.test")).peer.subject.CN, "fallback");
  secret(own);
  const secure = await askSecurely(https, "own.test");
  assert.equal(secure.peer.subject.CN, "own.test");
  assert.match(secure.text, /https$/);
  secret(renewed);
  assert.equal((await askSecurely(https, "own.test")).peer.subject.CN, "renewed.test");
  assert.equal((await askSecurely(https, "plain.test")).peer.subject.CN, "fallback");

  const redirect = await ask(http, "/x?y=1", { host: "own.test:8080" });
  assert.equal(redirect.status, 308);
  assert.equal(redirect.headers.location, "https://own.test:8443/x?y=1");
  assert.equal((await ask(http, "/", { host: "plain.test" })).status, 200);
});
