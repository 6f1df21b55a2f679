import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { createApiServer } from "@dhow/apiserver";
import { RecordingReporter, rawExchange, rawRequest, temporaryFolder } from "@dhow/testkit";
import { serveApi } from "../../src/control-plane/http-server.ts";
import { loadPki } from "../../src/pki.ts";
import { authorityOf } from "./certificates.ts";
import { cases, type Shown } from "./cases.ts";

// Who a Kubernetes 1.36 API server said that each is; RECORD_FROM=<the folder of a real control plane> asks one again, on port 6443.
const file = new URL("./recorded.json", import.meta.url);
const folder = temporaryFolder();
const reporter = new RecordingReporter();
const answers: Record<string, unknown> = {};
let end = async () => undefined as unknown;

interface Place {
  readonly path?: string;
  readonly port?: number;
}

async function whoAmI(place: Place, { certificate, token }: Shown): Promise<unknown> {
  const shown = certificate && { cert: certificate.chain, key: certificate.key };
  const socket: TLSSocket = connect({ ...place, ...shown, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  const request = rawRequest({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    headers: [["Content-Type", "application/json"], ...(token ? [["Authorization", `Bearer ${token}`] as const] : [])],
    body: '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}',
  });
  const { status, body } = await rawExchange(socket, request);
  const answer = JSON.parse(body.startsWith("{") ? body : JSON.stringify({ message: body })) as {
    message?: string;
    status?: { userInfo: unknown };
  };
  const text = JSON.stringify(status === 201 ? answer.status?.userInfo : answer.message) ?? "";
  const fingerprint = createHash("sha256").update(certificate ? new X509Certificate(certificate.chain).raw : "");
  return { status, said: JSON.parse(text.replaceAll(fingerprint.digest("hex"), "FINGERPRINT")) as unknown };
}

async function all(place: Place, ca: string, key: string, token: string): Promise<Record<string, unknown>> {
  const said: Record<string, unknown> = {};
  const authority = await authorityOf(ca, key);
  for (const [what, shown] of Object.entries(await cases(authority, token))) said[what] = await whoAmI(place, shown);
  const [name = ""] = authority.subject.getField("CN");
  return JSON.parse(JSON.stringify(said).replaceAll(name, "AUTHORITY")) as Record<string, unknown>;
}

const real = process.env["RECORD_FROM"];
if (real) {
  const text = (name: string) => readFileSync(join(real, "pki", name), "utf8");
  const said = await all({ port: 6443 }, text("ca.crt"), text("ca.key"), "admin-token");
  writeFileSync(file, `${JSON.stringify(said, undefined, 2)}\n`);
}
const recorded = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;

before(async () => {
  const pki = await loadPki(folder.path, Date.now());
  const user = { name: "admin", uid: "admin", groups: ["system:masters"] };
  const api = await createApiServer({ reporter, tokens: [{ token: "admin-token", user }] });
  const path = join(folder.path, "api.sock");
  const server = serveApi(api, { certificate: pki.serverCertificate, key: pki.serverKey, ca: pki.ca });
  server.listen(path);
  await once(server, "listening");
  end = async () => {
    server.close();
    await api.close();
    folder[Symbol.dispose]();
  };
  Object.assign(answers, await all({ path }, pki.ca, pki.caKey, "admin-token"));
});
after(() => end());

/** OpenSSL takes a certificate for a client's only where it says so, or says nothing; Go where it says `anyExtendedKeyUsage`, too. */
const refusedHereOnly = { "for whatever": { status: 401, said: "Unauthorized" } };

for (const [what, wanted] of Object.entries({ ...recorded, ...refusedHereOnly }))
  test(`a client's certificate: ${what}`, () => assert.deepEqual(answers[what], wanted));

test("nothing is said of them where others read it", () => assert.deepEqual(reporter.reports, []));
