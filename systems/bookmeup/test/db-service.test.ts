import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventually, startPostgres } from "@dhow/testkit";
import { Client } from "pg";
import { migrate, MigrationRefused } from "../db-service/src/migrate.ts";
import { migrations } from "../db-service/src/migrations/index.ts";
import { faultOf, type Migration } from "../db-service/src/migrations/migration.ts";
import { healthy, run, start, startSystem } from "./fixture.ts";
import { aPerson, aService, ask, freeStarts } from "./people.ts";

async function connect(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

const nothing = new Set<number>();
const step = (version: number, sql: string, more: Partial<Migration> = {}): Migration => ({
  version,
  name: `step ${version}`,
  sql,
  ...more,
});

describe("migrations", () => {
  it("are applied once by replicas that start at the same moment", async () => {
    await using postgres = await startPostgres();
    const replicas = await Promise.all([1, 2, 3].map(() => start("db-service", { DATABASE_URL: postgres.url() })));
    await Promise.all(replicas.map(healthy));
    const applied = replicas.map(({ lines }) => lines.find((line) => line.includes("migrations applied")) ?? "");
    const counts = applied.map((line) => (JSON.parse(line) as { applied: string[] }).applied.length);
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      [0, 0, migrations.length],
    );
    await using client = await connect(postgres.url());
    const { rows } = await client.query("select version, name from schema_migrations order by version");
    assert.deepEqual(
      rows,
      migrations.map(({ version, name }) => ({ version, name })),
    );
    await Promise.all(replicas.map((one) => one[Symbol.asyncDispose]()));
  });

  it("leave nothing of one that fails, keep those before it, and go on when it is mended", async () => {
    await using postgres = await startPostgres();
    await using client = await connect(postgres.url());
    const good = step(1, "create table a (id int)");
    const bad = step(2, "create table b (id int); insert into b values (1); select nonsense");
    await assert.rejects(migrate(client, { migrations: [good, bad], allowDestructive: nothing }), /nonsense/);
    const { rows } = await client.query("select to_regclass('a') as a, to_regclass('b') as b");
    assert.deepEqual(rows, [{ a: "a", b: null }]);
    const mended = await migrate(client, {
      migrations: [good, step(2, "create table b (id int)")],
      allowDestructive: nothing,
    });
    assert.deepEqual(
      mended.map((one) => one.version),
      [2],
    );
  });

  it("that lose data are refused until their version is consented to", async () => {
    await using postgres = await startPostgres();
    await using client = await connect(postgres.url());
    const list = [
      step(1, "create table a (id int, old text)"),
      step(2, "alter table a drop column old", { destructive: true }),
    ];
    await assert.rejects(migrate(client, { migrations: list, allowDestructive: new Set([1, 3]) }), {
      name: "MigrationRefused",
      message: "migration 2 (step 2) loses data; set ALLOW_DESTRUCTIVE_MIGRATIONS=2 to consent",
    });
    assert.equal(
      (await client.query("select to_regclass('a') as a")).rows[0].a,
      null,
      "none is applied before the consent",
    );
    assert.equal((await migrate(client, { migrations: list, allowDestructive: new Set([2]) })).length, 2);
  });

  it("that lose data without saying so are found", () => {
    const losing = [
      "drop table a",
      "ALTER TABLE a\n  DROP COLUMN b",
      "alter table a add c int, drop b",
      "truncate a",
      "delete from a where true",
      "alter table a alter column b type int using 0",
      "alter table a alter b set data type int",
      "drop schema s cascade",
    ];
    for (const sql of losing) assert.match(faultOf([step(1, sql)]) ?? "", /does not declare destructive/, sql);
    const harmless = [
      "alter table a drop constraint c",
      "alter table a alter b drop not null",
      "alter table a alter b drop default",
      "drop index i",
      "-- drop table a\nselect 1",
    ];
    for (const sql of harmless) assert.equal(faultOf([step(1, sql)]), undefined, sql);
    assert.equal(faultOf(migrations), undefined);
    assert.match(faultOf([step(2, "select 1")]) ?? "", /has version 2 where 1 is next/);
  });

  it("that were changed after they were applied are refused; a schema that is newer than the code is not", async () => {
    await using postgres = await startPostgres();
    await using client = await connect(postgres.url());
    const list = [step(1, "create table a (id int)"), step(2, "create table b (id int)")];
    await migrate(client, { migrations: list, allowDestructive: nothing });
    await assert.rejects(
      migrate(client, { migrations: [step(1, "create table a (id bigint)")], allowDestructive: nothing }),
      MigrationRefused,
    );
    assert.deepEqual(await migrate(client, { migrations: list.slice(0, 1), allowDestructive: nothing }), []);
  });
});

describe("db-service", () => {
  it("waits for its database instead of crashing, and says so", async () => {
    await using postgres = await startPostgres();
    await postgres.stop();
    await using db = await start("db-service", { DATABASE_URL: postgres.url() });
    const state = await eventually(async () => {
      const reply = await ask(`${db.url}/ready`);
      return reply.body.reason?.includes("ECONNREFUSED") ? reply : undefined;
    });
    assert.equal(state.status, 503);
    assert.equal((await ask(`${db.url}/services`)).status, 503);
    await postgres.start();
    await healthy(db);
    assert.equal((await ask(`${db.url}/services`)).status, 200);
  });

  it("outlives restarts and crashes of its database: who books meanwhile waits a little", async () => {
    await using postgres = await startPostgres();
    await using system = await startSystem(postgres.url());
    const person = await aPerson(system);
    const { id } = await aService(system, person);
    const starts = [...(await freeStarts(system, id, 3)), ...(await freeStarts(system, id, 4))];
    for (const mode of ["fast", "immediate", "fast", "immediate"] as const) {
      const book = (start: string | undefined, index: number) =>
        ask(`${system.logic[index % 2]?.url}/services/${id}/bookings`, { body: { start }, token: person.token });
      const booked = starts.splice(0, 8).map(book);
      const restarted = postgres.restart(mode);
      booked.push(...starts.splice(0, 3).map(book));
      assert.deepEqual(
        (await Promise.all(booked)).map((reply) => reply.status),
        booked.map(() => 201),
      );
      await restarted;
    }
    const { body } = await ask(`${system.logic[0]?.url}/profile/bookings?limit=100`, { token: person.token });
    assert.equal(body.items.length, 44);
    assert.ok(system.db.every((one) => one.process.exitCode === null));
  });

  it("finishes what it has when SIGTERM comes under load: each booking that was answered is there, and none failed", async () => {
    await using postgres = await startPostgres();
    await using system = await startSystem(postgres.url());
    const person = await aPerson(system);
    const { id } = await aService(system, person, { durationMinutes: 5 });
    const starts = await freeStarts(system, id);
    const replies = starts
      .slice(0, 120)
      .map((start) => ask(`${system.logic[0]?.url}/services/${id}/bookings`, { body: { start }, token: person.token }));
    await Promise.race(replies);
    system.logic[0]?.kill();
    assert.deepEqual(new Set((await Promise.all(replies)).map((reply) => reply.status)), new Set([201]));
    assert.equal(await system.logic[0]?.ended, 0);
    await using client = await connect(postgres.url());
    assert.equal((await client.query("select count(*)::int as count from bookings")).rows[0].count, 120);
    for (const db of system.db) {
      db.kill();
      assert.equal(await db.ended, 0);
    }
    const connections = await client.query("select 1 from pg_stat_activity where application_name = 'db-service'");
    assert.equal(connections.rowCount, 0);
  });

  it("keeps two bookings of one time apart by the database itself", async () => {
    await using postgres = await startPostgres();
    await using db = await start("db-service", { DATABASE_URL: postgres.url() });
    await healthy(db);
    await using client = await connect(postgres.url());
    await client.query(
      "insert into users (id, email, name, password_hash) values ('00000000-0000-4000-8000-000000000001', 'a@b', 'a', '')",
    );
    await client.query(`insert into services (id, provider_id, title, description, duration_minutes, price_amount, price_currency, time_zone, opening_hours)
      select '00000000-0000-4000-8000-000000000002', id, '', '', 60, 0, 'EUR', 'UTC', '[]' from users`);
    const insert = (from: string, to: string, state = "booked") =>
      client.query(
        `insert into bookings (service_id, customer_id, starts_at, ends_at, state)
         values ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', $1, $2, $3)`,
        [from, to, state],
      );
    await insert("2030-01-01T10:00Z", "2030-01-01T11:00Z");
    await insert("2030-01-01T11:00Z", "2030-01-01T12:00Z");
    await insert("2030-01-01T10:00Z", "2030-01-01T11:00Z", "cancelled");
    await assert.rejects(insert("2030-01-01T10:30Z", "2030-01-01T11:30Z"), { code: "23P01" });
  });

  it("takes its address as a URL or in parts, and says what is wrong with either", async () => {
    await using postgres = await startPostgres();
    const parts = {
      POSTGRES_HOST: "127.0.0.1",
      POSTGRES_PORT: String(postgres.port),
      POSTGRES_USER: "tester",
      POSTGRES_DB: "postgres",
    };
    await using db = await start("db-service", { ...parts, POSTGRES_PASSWORD: "p@ss/word" });
    await healthy(db);
    // A Service called postgres makes Kubernetes set this; where there is a URL it says nothing.
    await using linked = await start("db-service", {
      DATABASE_URL: postgres.url(),
      POSTGRES_PORT: "tcp://10.96.0.7:5432",
    });
    await healthy(linked);
    const faults: [Record<string, string>, RegExp][] = [
      [{}, /^src\/configuration\.ts:\d+ {3}DATABASE_URL is not set/],
      [parts, /POSTGRES_PASSWORD is not set/],
      [{ DATABASE_URL: "not a url" }, /DATABASE_URL is not a URL; give postgres:/],
      [{ DATABASE_URL: postgres.url(), ALLOW_DESTRUCTIVE_MIGRATIONS: "all" }, /ALLOW_DESTRUCTIVE_MIGRATIONS has "all"/],
    ];
    for (const [environment, expected] of faults) {
      const { code, lines } = await run("db-service", environment);
      assert.deepEqual([code, lines.length], [1, 1]);
      assert.match(lines[0] ?? "", expected);
    }
  });
});
