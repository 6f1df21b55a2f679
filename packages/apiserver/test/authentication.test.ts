import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { KubeObject } from "@dhow/kube";
import { FakeClock } from "@dhow/testkit";
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import { type ApiRequest, type ApiServer, createApiServer } from "../src/server.ts";
import { textOf } from "./kinds/answers.ts";

const json = { "content-type": "application/json" };
const merge = { "content-type": "application/merge-patch+json" };
const admin = { name: "admin", groups: ["system:masters"] };
const clock = new FakeClock();
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
let server: ApiServer;

before(async () => {
  server = await createApiServer({
    clock,
    serviceAccountKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    tokens: [{ token: "static", user: { name: "ops", groups: ["team"] } }],
    advertise: { address: "10.0.0.1", port: 6443 },
  });
});
after(() => server.close());

type Connection = Partial<ApiRequest["connection"]>;

async function request(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  connection: Connection = { user: admin },
) {
  const response = await server.handle({
    method,
    path,
    headers: { ...json, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    connection: { remoteAddress: "127.0.0.1", ...connection },
  });
  const text = await textOf(response);
  return {
    status: response.status,
    body: (text.startsWith("{") ? JSON.parse(text) : { text }) as KubeObject,
  };
}

interface Who {
  readonly username: string;
  readonly uid?: string;
  readonly groups: string[];
  readonly extra?: Record<string, string[]>;
}

async function whoAmI(headers: Record<string, string>, connection: Connection = {}): Promise<Who | number> {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const { body, status } = await request(
    "POST",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    review,
    headers,
    connection,
  );
  return status === 201 ? (body["status"] as { userInfo: Who }).userInfo : status;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("who asks", () => {
  const table: [string, Record<string, string>, Connection, Who | number][] = [
    ["a static token", bearer("static"), {}, { username: "ops", groups: ["team", "system:authenticated"] }],
    [
      "a client certificate",
      {},
      { clientCertificate: { commonName: "ann", organizations: ["a", "b"], sha256: "0123" } },
      {
        username: "ann",
        groups: ["a", "b", "system:authenticated"],
        extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=0123"] },
      },
    ],
    ["a client certificate that is nobody's", {}, { clientCertificate: "refused" }, 401],
    [
      "a caller in the process",
      bearer("nonsense"),
      { user: { name: "controller", groups: [] } },
      { username: "controller", groups: ["system:authenticated"] },
    ],
    ["an unknown token", bearer("nonsense"), {}, 401],
    ["a token of the right form", bearer("e30.e30.e30"), {}, 401],
    ["nobody", {}, {}, 403],
    ["another scheme", { authorization: "Basic YTpi" }, {}, 403],
  ];
  for (const [name, headers, connection, expected] of table) {
    test(name, async () => assert.deepEqual(await whoAmI(headers, connection), expected));
  }

  test("a token in a WebSocket's protocols", async () => {
    const encoded = Buffer.from("static").toString("base64url");
    const protocols = `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${encoded}`;
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": protocols };
    assert.equal(((await whoAmI(headers)) as Who).username, "ops");
  });
});

describe("tokens of service accounts", () => {
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const ask = async (name: string, spec: Record<string, unknown> = {}) => {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
    const answer = await request("POST", `${accounts}/${name}/token`, body);
    return (answer.body["status"] as { token: string }).token;
  };
  const account = (name: string) =>
    request("POST", accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });

  test("say whose they are until they expire", async () => {
    const { body } = await account("short");
    const token = await ask("short", { expirationSeconds: 600 });
    const who = (await whoAmI(bearer(token))) as Who;
    assert.equal(who.username, "system:serviceaccount:default:short");
    assert.equal(who.uid, body.metadata.uid);
    assert.deepEqual(who.groups, ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
    await clock.advance(601_000);
    assert.equal(await whoAmI(bearer(token)), 401);
  });

  test("die with their account, even if another of the name comes", async () => {
    await account("gone");
    const token = await ask("gone");
    await request("DELETE", `${accounts}/gone`);
    assert.equal(await whoAmI(bearer(token)), 401);
    await account("gone");
    assert.equal(await whoAmI(bearer(token)), 401);
  });

  test("of a Secret are good for as long as the Secret holds them", async () => {
    const { body } = await account("kept");
    const secrets = "/api/v1/namespaces/default/secrets";
    const annotations = { "kubernetes.io/service-account.name": "kept" };
    const type = "kubernetes.io/service-account-token";
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "kept-token", annotations }, type };
    assert.equal((await request("POST", secrets, secret)).status, 201);
    const sign = (uid = body.metadata.uid) => {
      const prefix = "kubernetes.io/serviceaccount";
      // As the controller manager signs (pkg/serviceaccount/legacy.go).
      return new SignJWT({
        [`${prefix}/namespace`]: "default",
        [`${prefix}/secret.name`]: "kept-token",
        [`${prefix}/service-account.name`]: "kept",
        [`${prefix}/service-account.uid`]: uid,
      })
        .setProtectedHeader({ alg: "ES256" })
        .setIssuer("kubernetes/serviceaccount")
        .setSubject("system:serviceaccount:default:kept")
        .sign(privateKey);
    };
    const hold = (token: string) =>
      request("PATCH", `${secrets}/kept-token`, { data: { token: Buffer.from(token).toString("base64") } }, merge);
    const token = await sign();
    assert.equal(await whoAmI(bearer(token)), 401, "the Secret does not hold it yet");
    await hold(token);
    const groups = ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"];
    const username = "system:serviceaccount:default:kept";
    assert.deepEqual(await whoAmI(bearer(token)), { username, uid: body.metadata.uid, groups });
    const { metadata } = (await request("GET", `${secrets}/kept-token`)).body;
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    assert.equal(metadata.labels?.["kubernetes.io/legacy-token-last-used"], today);
    const foreign = await sign("another");
    await hold(foreign);
    assert.equal(await whoAmI(bearer(foreign)), 401, "another account of the name");
    assert.equal(await whoAmI(bearer(token)), 401, "no longer held");
    await hold(token);
    const labels = { "kubernetes.io/legacy-token-invalid-since": today };
    await request("PATCH", `${secrets}/kept-token`, { metadata: { labels } }, merge);
    assert.equal(await whoAmI(bearer(token)), 401, "marked invalid");
  });

  test("bound to a pod name it and die with it", async () => {
    await account("bound");
    const pods = "/api/v1/namespaces/default/pods";
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { serviceAccountName: "bound", containers: [{ name: "c", image: "i:1" }] },
    };
    const { body } = await request("POST", pods, pod);
    const { uid } = body.metadata;
    const token = await ask("bound", { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "p", uid } });
    const who = (await whoAmI(bearer(token))) as Who;
    assert.deepEqual(who.extra?.["authentication.kubernetes.io/pod-uid"], [uid]);
    await request("DELETE", `${pods}/p?gracePeriodSeconds=0`);
    assert.equal(await whoAmI(bearer(token)), 401);
  });

  test("for another audience are not for this server, but can be reviewed", async () => {
    await account("far");
    const token = await ask("far", { audiences: ["vault"] });
    assert.equal(await whoAmI(bearer(token)), 401);
    const review = async (audiences: string[]) => {
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token, audiences } };
      const answer = await request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body);
      return answer.body["status"] as { authenticated?: boolean; audiences?: string[] };
    };
    assert.deepEqual(
      await review(["vault", "x"]).then(({ audiences, authenticated }) => ({ audiences, authenticated })),
      {
        audiences: ["vault"],
        authenticated: true,
      },
    );
    assert.equal((await review(["x"])).authenticated, undefined);
  });

  test("altered ones are refused", async () => {
    await account("altered");
    const [head, claims = "", signature] = (await ask("altered")).split(".");
    const other = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
    const forged = Buffer.from(JSON.stringify({ ...other, sub: "system:serviceaccount:default:admin" })).toString(
      "base64url",
    );
    assert.equal(await whoAmI(bearer(`${head}.${forged}.${signature}`)), 401);
  });

  test("can be checked by others with the published keys", async () => {
    await account("checked");
    const token = await ask("checked", { audiences: ["others"] });
    const { body: configuration } = await request("GET", "/.well-known/openid-configuration");
    assert.equal(configuration["jwks_uri"], "https://10.0.0.1:6443/openid/v1/jwks");
    const { body: keys } = await request("GET", "/openid/v1/jwks");
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys as never), {
      issuer: String(configuration["issuer"]),
      audience: "others",
      currentDate: new Date(clock.now()),
    });
    assert.equal(payload.sub, "system:serviceaccount:default:checked");
  });
});
