import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { startPostgres, type TestPostgres } from "@dhow/testkit";
import { Client } from "pg";
import { adminerFor, Operator } from "./operator.ts";

describe("adminer", () => {
  let postgres: TestPostgres;
  let client: Client;
  let operator: Operator;
  let writer: Operator;

  before(async () => {
    postgres = await startPostgres();
    client = new Client({ connectionString: postgres.url() });
    await client.connect();
    await client.query(`
      create table people (id integer primary key, name text, note text, born date);
      insert into people select n, 'Person ' || n, null, date '2000-01-01' + n from generate_series(1, 120) n;
      insert into people values (500, '<script>alert(1)</script>', 'comma, "quote"', null), (501, '', E'two\\nlines', null);
      create schema "odd ""schema";
      create table "odd ""schema"."a table" ("a column" text);
      create view adults as select * from people where id < 100;
      create function writes() returns int language plpgsql as $$ begin insert into people values (900, 'written'); return 1; end $$;
      create procedure commits() language plpgsql as $$ begin commit; insert into people values (901, 'written'); commit; end $$;
      analyze`);
    operator = await new Operator(adminerFor(postgres.url())).signIn();
    writer = await new Operator(adminerFor(postgres.url(), { writable: true })).signIn();
  });
  after(async () => {
    await client.end();
    await postgres[Symbol.asyncDispose]();
  });

  it("lists tables of every schema, with estimates", async () => {
    const { text } = await operator.get("/");
    assert.match(text, /<a href="\/tables\/public\/people">people<\/a>[^]*?>122</);
    assert.match(text, /\/tables\/odd%20%22schema\/a%20table/);
    assert.ok(!text.includes("pg_class"));
  });

  it("shows rows paged, sorted and filtered, and escapes all of it", async () => {
    const first = await operator.get("/tables/public/people");
    assert.ok(first.text.includes("Person 50") && !first.text.includes("Person 51"));
    assert.match((await operator.get("/tables/public/people?page=3")).text, /&lt;script&gt;alert\(1\)/);
    const newest = await operator.get("/tables/public/people?sort=id&order=desc");
    assert.ok(newest.text.includes(">501<") && !newest.text.includes("<script"));
    const filtered = await operator.get("/tables/public/people?column=name&operator=contains&value=SON+11");
    assert.deepEqual(
      [...filtered.text.matchAll(/>(Person \d+)</g)].map((match) => match[1]),
      ["Person 11", ...Array.from({ length: 10 }, (_, index) => `Person ${110 + index}`)],
    );
    const none = await operator.get("/tables/public/people?column=born&operator=null");
    assert.deepEqual([none.text.match(/<tr>/g)?.length, none.status], [3, 200]);
    const wrong = await operator.get("/tables/public/people?column=born&operator=eq&value=yesterweek");
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /invalid input syntax for type date: &quot;yesterweek&quot;/);
    assert.equal((await operator.get("/tables/public/nothing")).status, 404);
    assert.equal((await operator.get("/tables/odd%20%22schema/a%20table")).status, 200);
  });

  it("does not take a column or an order from the address that the table has not", async () => {
    const look = "sort=id%22%3B+drop+table+people%3B--&order=asc&column=x%22&operator=eq&value=1";
    assert.equal((await operator.get(`/tables/public/people?${look}`)).status, 200);
    const injected = await operator.get(
      `/tables/public/people?column=name&operator=eq&value=${encodeURIComponent("' or 1=1 --")}`,
    );
    assert.match(injected.text, /No rows match/);
  });

  it("shows structure: columns, key, constraints, a view's definition", async () => {
    const table = await operator.get("/tables/public/people/structure");
    assert.match(table.text, /PRIMARY KEY \(id\)/);
    assert.match((await operator.get("/tables/public/adults/structure")).text, /id &lt; 100/);
  });

  it("answers a query, up to the cap", async () => {
    const { text } = await operator.query("select 'a' || n as word from generate_series(1, 1000) n; ");
    assert.match(text, /The first 100 rows; there are more/);
    assert.ok(text.includes("a100") && !text.includes("a101"));
    assert.match((await operator.query("explain select 1")).text, /Result/);
    assert.match((await operator.query("show server_version")).text, /18\./);
    assert.match((await operator.query("with a as (select 7 as seven) table a")).text, />7</);
    assert.match((await operator.query("delete from people")).text, /Nothing can be changed here/);
    const wrong = await operator.query("select nonsense");
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /column &quot;nonsense&quot; does not exist/);
  });

  it("cannot be made to change anything while it is read-only", async () => {
    const before = await client.query("select count(*), max(id) from people");
    const file = `/tmp/adminer-escaped-${process.pid}`;
    const attempts = [
      "insert into people values (800, 'x')",
      "delete from people",
      "drop table people",
      "select 1; insert into people values (800, 'x')",
      "select 1; commit; insert into people values (800, 'x')",
      "commit",
      "rollback and chain",
      "set transaction read write",
      "set session characteristics as transaction read write",
      "set default_transaction_read_only = off",
      "select set_config('transaction_read_only', 'off', false), writes()",
      "select set_config('default_transaction_read_only', 'off', false), writes()",
      "with gone as (delete from people returning *) select * from gone",
      "explain analyze delete from people",
      "explain analyze select writes()",
      "select writes()",
      "call commits()",
      "do $$ begin commit; insert into people values (802, 'x'); end $$",
      "select * into taken from people",
      "create temp table t as select 1",
      "select * from people for update",
      `copy (select 1) to program 'touch ${file}'`,
      `explain analyze select 1; copy (select 1) to program 'touch ${file}'`,
      `show server_version; copy (select 1) to program 'touch ${file}'`,
      "prepare w as insert into people values (803, 'x')",
      "listen something",
      "select nextval('people_seq')",
      "select lo_from_bytea(0, 'x')",
      "alter system set work_mem = '1GB'",
      "vacuum people",
    ];
    for (const attempt of attempts) {
      const { status } = await operator.query(attempt);
      assert.equal(status, 400, attempt);
    }
    const now = await client.query("select count(*), max(id) from people");
    assert.deepEqual(now.rows, before.rows);
    assert.equal(existsSync(file), false);
    const tables = await client.query("select 1 from pg_class where relname in ('taken', 't')");
    assert.equal(tables.rowCount, 0);
  });

  it("changes what it is told to where it is writable", async () => {
    assert.match((await writer.query("insert into people values (700, 'new')")).text, /INSERT<\/strong>\s+1 rows/);
    assert.match((await writer.query("select name from people where id = 700")).text, />new</);
    assert.equal((await writer.query("delete from people where id = 700")).status, 200);
    assert.equal((await writer.query("delete from people where id = 1; delete from people where id = 2")).status, 400);
    assert.equal((await client.query("select 1 from people where id in (1, 2)")).rowCount, 2);
  });

  it("stops a statement that takes too long", async () => {
    const hasty = await new Operator(adminerFor(postgres.url(), { statementTimeoutSeconds: 1 })).signIn();
    assert.match((await hasty.query("select pg_sleep(30)")).text, /canceling statement due to statement timeout/);
  });

  it("downloads CSV of rows and of a query", async () => {
    const rows = await operator.get("/tables/public/people/rows.csv?sort=id&order=desc");
    assert.match(rows.headers.get("content-disposition") ?? "", /people\.csv/);
    const lines = rows.text.split("\r\n");
    assert.equal(lines[0], "id,name,note,born");
    assert.equal(lines[1], '501,"","two\nlines",');
    assert.equal(lines[2], '500,<script>alert(1)</script>,"comma, ""quote""",');
    assert.equal(lines.length, 124);
    const filtered = await operator.get("/tables/public/people/rows.csv?column=id&operator=lt&value=3");
    assert.equal(filtered.text, "id,name,note,born\r\n1,Person 1,,2000-01-02\r\n2,Person 2,,2000-01-03\r\n");
    assert.equal((await operator.query("select 1 as one", "/query.csv")).text, "one\r\n1\r\n");
  });

  it("lets nobody in without the password, and not for long with wrong ones", async () => {
    const app = adminerFor(postgres.url());
    const stranger = new Operator(app);
    assert.equal((await stranger.get("/")).headers.get("location"), "/login");
    assert.equal((await stranger.get("/tables/public/people/rows.csv")).status, 303);
    assert.equal((await stranger.post("/query", { text: "select 1", token: "" })).status, 303);
    for (let attempt = 1; attempt <= 10; attempt += 1)
      assert.equal((await stranger.post("/login", { user: "admin", password: `guess ${attempt}` })).status, 401);
    assert.equal((await stranger.post("/login", { user: "admin", password: "a password" })).status, 429);
  });

  it("takes forms of its own pages only, and forgets who signed out", async () => {
    const app = adminerFor(postgres.url());
    const someone = await new Operator(app).signIn();
    assert.equal((await someone.post("/query", { text: "select 1", token: "guessed" })).status, 403);
    const token = await someone.token();
    assert.equal(
      (await someone.post("/query", { text: "select 1", token }, { "sec-fetch-site": "cross-site" })).status,
      403,
    );
    assert.equal(
      (await someone.post("/login", { user: "a", password: "b" }, { origin: "https://elsewhere.example" })).status,
      403,
    );
    assert.equal((await someone.post("/logout", { token })).status, 303);
    assert.equal((await someone.get("/")).headers.get("location"), "/login");
  });

  it("sets a cookie that scripts and other sites cannot use, and a policy without scripts", async () => {
    const answer = await new Operator(adminerFor(postgres.url())).post("/login", {
      user: "admin",
      password: "a password",
    });
    assert.match(answer.headers.get("set-cookie") ?? "", /HttpOnly; SameSite=Strict/);
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  });

  it("uses the database's own users where it has none", async () => {
    await client.query("create role looker login password 'look'; grant select on people to looker");
    const app = adminerFor(postgres.url(), { pageUser: undefined });
    const looker = await new Operator(app).signIn("looker", "look");
    assert.equal((await looker.get("/tables/public/people")).status, 200);
    assert.match((await looker.get("/tables/public/adults")).text, /permission denied for view adults/);
    const nobody = await new Operator(app).post("/login", { user: "nobody at all", password: "x" });
    assert.equal(nobody.status, 401);
  });

  it("says that the database cannot be reached, and works when it can be again", async () => {
    await client.end();
    await postgres.stop("immediate");
    client = new Client({ connectionString: postgres.url() });
    assert.equal((await operator.get("/")).status, 502);
    await postgres.start();
    await client.connect();
    assert.equal((await operator.get("/")).status, 200);
  });
});
