import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { startPostgres, type TestPostgres } from "@dhow/testkit";
import { Client } from "pg";
import { healthy, run, type Running, secret, start } from "./fixture.ts";
import { ask, aPerson, type Person, type Reply } from "./people.ts";

describe("signing in", () => {
  let postgres: TestPostgres;
  let db: Running;
  let auth: Running;
  let strict: Running;
  let logic: Running;
  const at = (path: string, service: Running = auth) => `${service.url}/auth/${path}`;
  const refresh = (refreshToken: string, service = auth) => ask(at("refresh", service), { body: { refreshToken } });
  const profile = (token: string) => ask(`${logic.url}/profile`, { token });

  before(async () => {
    postgres = await startPostgres();
    db = await start("db-service", { DATABASE_URL: postgres.url() });
    await healthy(db);
    const environment = { DB_SERVICE_URL: db.url, JWT_SECRET_KEY: secret };
    [auth, strict, logic] = await Promise.all([
      start("auth-service", environment),
      start("auth-service", { ...environment, REFRESH_LEEWAY_SECONDS: "0", ACCESS_TOKEN_SECONDS: "1" }),
      start("logic-service", environment),
    ]);
  });
  after(async () => {
    await Promise.all([db, auth, strict, logic].map((one) => one[Symbol.asyncDispose]()));
    await postgres[Symbol.asyncDispose]();
  });

  it("registers once an address, whatever its case, and names the field that is wrong", async () => {
    const person = { email: "Zara@Example.org", name: "Zara", password: "a long password" };
    const registered = await ask(at("register"), { body: person });
    assert.deepEqual([registered.status, registered.body.user.email], [201, "zara@example.org"]);
    assert.ok(!JSON.stringify(registered.body).includes("assword"));
    const again = await ask(at("register"), { body: { ...person, email: "ZARA@example.org" } });
    assert.deepEqual([again.status, again.body.error.code], [409, "EMAIL_TAKEN"]);
    const wrong: [object, string][] = [
      [{ email: "zara" }, "email"],
      [{ name: "" }, "name"],
      [{ password: "short" }, "password"],
      [{ password: "x".repeat(201) }, "password"],
      [{ isAdmin: true }, "isAdmin"],
    ];
    for (const [change, field] of wrong) {
      const reply = await ask(at("register"), { body: { ...person, ...change } });
      assert.deepEqual([reply.status, reply.body.error.field], [400, field]);
    }
  });

  it("gives the same answer to a registration that is sent twice with one key", async () => {
    const body = { email: `${randomUUID()}@example.org`, name: "Twice", password: "a long password" };
    const headers = { "Idempotency-Key": randomUUID() };
    const replies = await Promise.all([1, 2, 3].map(() => ask(at("register"), { body, headers })));
    assert.deepEqual(
      replies.map((reply) => [reply.status, reply.body]),
      replies.map(() => [201, replies[0]?.body]),
    );
  });

  it("keeps passwords as argon2id and refresh tokens as hashes", async () => {
    const person = await aPerson({ auth });
    const client = new Client({ connectionString: postgres.url() });
    await client.connect();
    const users = await client.query("select password_hash from users where id = $1", [person.id]);
    assert.match(users.rows[0].password_hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const everything = await client.query(
      "select row_to_json(r)::text as row from refresh_tokens r union all select row_to_json(k)::text from idempotency_keys k",
    );
    assert.ok(everything.rows.length > 1);
    for (const { row } of everything.rows) {
      assert.ok(!row.includes(person.refreshToken));
      assert.ok(!row.includes("argon2"));
    }
    await client.end();
  });

  it("does not tell whether there is an account", async () => {
    const person = await aPerson({ auth });
    const wrong = await ask(at("login"), { body: { email: person.email, password: "not this one" } });
    const nobody = await ask(at("login"), { body: { email: "nobody@example.org", password: "not this one" } });
    assert.deepEqual([wrong.status, wrong.body], [401, nobody.body]);
    assert.equal(nobody.status, 401);
  });

  it("lets in with an access token, and not with one that is forged, expired or of another kind", async () => {
    const person = await aPerson({ auth });
    assert.equal((await profile(person.token)).body.email, person.email);
    const [header = "", payload = "", signature = ""] = person.token.split(".");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const sign = (head: string, body: string, key: string) =>
      `${head}.${body}.${createHmac("sha256", key).update(`${head}.${body}`).digest("base64url")}`;
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const forged = [
      `${header}.${encode({ ...claims, sub: randomUUID() })}.${signature}`,
      sign(header, payload, "another key that is also long enough"),
      `${encode({ alg: "none" })}.${payload}.`,
      sign(encode({ alg: "HS256" }), payload, secret),
      sign(header, encode({ ...claims, aud: "elsewhere" }), secret),
      sign(header, encode({ ...claims, exp: undefined }), secret),
      person.refreshToken,
    ];
    for (const token of forged) {
      const reply = await profile(token);
      assert.deepEqual([reply.status, reply.body.error.code], [401, "INVALID_TOKEN"]);
    }
    const short = await ask(at("login", strict), { body: { email: person.email, password: person.password } });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const late = await profile(short.body.accessToken);
    assert.deepEqual([late.status, late.body.error.code], [401, "TOKEN_EXPIRED"]);
  });

  it("rotates refresh tokens, and ends the session when one comes twice", async () => {
    const person = await aPerson({ auth: strict });
    const second = await refresh(person.refreshToken, strict);
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refreshToken, person.refreshToken);
    assert.equal((await profile(second.body.accessToken)).status, 200);
    const third = await refresh(second.body.refreshToken, strict);
    assert.equal(third.status, 200);
    const stolen = await refresh(person.refreshToken, strict);
    assert.deepEqual([stolen.status, stolen.body.error.code], [401, "TOKEN_REUSED"]);
    const owner = await refresh(third.body.refreshToken, strict);
    assert.deepEqual([owner.status, owner.body.error.code], [401, "SIGNED_OUT"]);
  });

  it("lets two tabs refresh at once", async () => {
    const person = await aPerson({ auth });
    const both: Reply[] = await Promise.all([refresh(person.refreshToken), refresh(person.refreshToken)]);
    assert.deepEqual(
      both.map((reply) => reply.status),
      [200, 200],
    );
    assert.equal((await refresh(both[0]?.body.refreshToken)).status, 200);
  });

  it("signs out: the refresh token is worth nothing from then on", async () => {
    const person = await aPerson({ auth });
    assert.equal((await ask(at("logout"), { body: { refreshToken: person.refreshToken } })).status, 204);
    assert.equal((await refresh(person.refreshToken)).status, 401);
    assert.equal((await refresh("never given")).status, 401);
  });

  it("keeps the session of a page in a cookie that scripts and other sites cannot use", async () => {
    const person = await aPerson({ auth });
    const login = await ask(at("login"), {
      body: { email: person.email, password: person.password, session: "cookie" },
    });
    assert.equal(login.body.refreshToken, undefined);
    const cookie = login.headers.get("set-cookie") ?? "";
    assert.match(cookie, /^bookmeup_refresh=[\w-]{43}; Max-Age=2592000; Path=\/auth; HttpOnly; SameSite=Strict$/);
    const sent = { cookie: cookie.split(";", 1)[0] ?? "" };
    const refreshed = await ask(at("refresh"), { method: "POST", headers: sent });
    assert.deepEqual([refreshed.status, refreshed.body.refreshToken], [200, undefined]);
    const overTls = await ask(at("login"), {
      body: { email: person.email, password: person.password, session: "cookie" },
      headers: { "x-forwarded-proto": "https" },
    });
    assert.match(overTls.headers.get("set-cookie") ?? "", /; Secure/);
  });

  it("slows down who guesses, also many at once, and lets others sign in", async () => {
    const person = await aPerson({ auth });
    const attempt = (password: string, ip = "203.0.113.7") =>
      ask(at("login"), { body: { email: person.email, password }, headers: { "x-forwarded-for": ip } });
    const guesses = await Promise.all(Array.from({ length: 30 }, (_, index) => attempt(`guess number ${index}`)));
    const count = (status: number) => guesses.filter((reply) => reply.status === status).length;
    assert.deepEqual([count(401), count(429)], [10, 20]);
    const right = await attempt(person.password);
    assert.equal(right.status, 429);
    assert.ok(Number(right.headers.get("retry-after")) > 60);
    assert.equal((await attempt(person.password, "203.0.113.8")).status, 200);
  });

  it("accepts tokens of the key before while keys are changed, and of no older one", async () => {
    const person: Person = await aPerson({ auth });
    const next = "the next secret of the tests, long enough too";
    const environment = { DB_SERVICE_URL: db.url, JWT_SECRET_KEY: next };
    await using changed = await start("logic-service", { ...environment, JWT_OTHER_SECRET_KEY: secret });
    await using newAuth = await start("auth-service", environment);
    await using forgetful = await start("logic-service", environment);
    const status = async (service: Running, token: string) => (await ask(`${service.url}/profile`, { token })).status;
    const renewed = await refresh(person.refreshToken, newAuth);
    assert.deepEqual(
      [
        await status(changed, person.token),
        await status(changed, renewed.body.accessToken),
        await status(forgetful, person.token),
      ],
      [200, 200, 401],
    );
  });

  it("answers health under its own prefix, and 404 elsewhere", async () => {
    const health = await ask(at("health"));
    assert.deepEqual([health.status, health.body], [200, { status: "healthy" }]);
    const nothing = await ask(`${auth.url}/services`);
    assert.deepEqual([nothing.status, nothing.body.error.code], [404, "NOT_FOUND"]);
  });

  it("does not start without its settings, and says which and where", async () => {
    assert.deepEqual(await run("auth-service", { DB_SERVICE_URL: "http://db-service:5003" }), {
      code: 1,
      lines: ["src/configuration.ts:9   JWT_SECRET_KEY is not set; give it in env of this workload"],
    });
    const short = await run("logic-service", { DB_SERVICE_URL: "http://db-service:5003", JWT_SECRET_KEY: "short" });
    assert.match(
      short.lines.join(),
      /configuration\.ts:\d+ {3}JWT_SECRET_KEY has 5 characters; give at least 32 random ones/,
    );
  });
});
