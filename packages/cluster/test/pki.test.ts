import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dhow/testkit";
import { loadPki } from "../src/pki.ts";

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
