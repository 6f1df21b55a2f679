import assert from "node:assert/strict";
import { it } from "node:test";
import { complete, followReadme, type Stage } from "./operator.ts";
import { Client } from "./wire.ts";

/** Ends every session of the database but this one, so that db-service has to sign in again with what holds now. */
const endSessions = `
import { Client } from "pg";
const client = new Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const { rows } = await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'db-service'");
await client.end();
console.log(rows.length);`;

/** Whether the database takes a password: the one that was, of which only the test knows still. */
const signIn = (password: string) => `
import { Client } from "pg";
const url = new URL(process.env.DATABASE_URL);
url.password = ${JSON.stringify(password)};
const client = new Client({ connectionString: url.href });
const code = await client.connect().then(() => "taken", (error) => error.code);
await client.end();
console.log(JSON.stringify(code));`;

/** New secrets, as README.md says. */
export function secrets(stage: () => Stage): void {
  it("changes the database password, and the role's with it", async () => {
    const { cluster, load } = stage();
    const read = async () => (await cluster.dhow("secret", "bookmeup-secrets", "POSTGRES_PASSWORD")).trim();
    const before = await read();
    await load.during("new database password", async () => {
      await followReadme(cluster, "Change the database password");
      await complete(cluster, "db-service", "adminer");
      assert.ok((await cluster.inside("db-service", endSessions)) > 0);
    });
    assert.notEqual(await read(), before);
    assert.equal(await cluster.inside("db-service", signIn(before)), "28P01");
    assert.equal(await cluster.inside("db-service", signIn(await read())), "taken");
    // What starts from here on knows the new one alone.
    await load.during("restart after it", async () => {
      await cluster.kubectl("rollout", "restart", "deployment/db-service", "deployment/postgres");
      await complete(cluster, "db-service", "postgres");
    });
  });

  it("changes the key of the tokens: those of the last one hold until it is forgotten", async () => {
    const { cluster, load } = stage();
    const [old = ""] = load.tokens;
    const client = new Client({ port: cluster.port });
    const profile = async (token: string) => (await client.send({ method: "GET", path: "/profile", token })).status;
    await load.during("new token key", () => followReadme(cluster, "Change the key of the tokens"));
    assert.equal(await profile(old), 200);
    await load.signIn();
    await load.during("old key forgotten", () => followReadme(cluster, "Forget the old key of the tokens"));
    assert.equal(await profile(old), 401);
    client.close();
  });
}
