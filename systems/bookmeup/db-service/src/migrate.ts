import { createHash } from "node:crypto";
import type { ClientBase } from "pg";
import { faultOf, type Migration } from "./migrations/migration.ts";

/** A migration that must not be run: a person has to decide. */
export class MigrationRefused extends Error {
  override readonly name = "MigrationRefused";
}

export interface MigrateOptions {
  readonly migrations: readonly Migration[];
  /** Versions of destructive migrations that were consented to. */
  readonly allowDestructive: ReadonlySet<number>;
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** "bmup": whoever migrates this database holds this lock meanwhile. */
const advisoryLock = 0x62_6d_75_70;

const checksumOf = (migration: Migration) => createHash("sha256").update(migration.sql).digest("hex");

function refuseEdited(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const { version, name, checksum } of applied) {
    const migration = migrations[version - 1];
    // A version that is not known here is that of newer code: this is a roll-back, and the schema serves both.
    if (migration && checksumOf(migration) !== checksum)
      throw new MigrationRefused(
        `migration ${version} (${name}) was changed after it was applied; write a new one instead`,
      );
  }
}

async function apply(client: ClientBase, migration: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(migration.sql);
    await client.query("insert into schema_migrations (version, name, checksum) values ($1, $2, $3)", [
      migration.version,
      migration.name,
      checksumOf(migration),
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

async function migrateLocked(client: ClientBase, options: MigrateOptions): Promise<Migration[]> {
  await client.query(`create table if not exists schema_migrations (
    version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`);
  const { rows } = await client.query<Applied>(
    "select version, name, checksum from schema_migrations order by version",
  );
  refuseEdited(rows, options.migrations);
  const done = new Set(rows.map((row) => row.version));
  const pending = options.migrations.filter((migration) => !done.has(migration.version));
  const unwanted = pending.find(({ version, destructive }) => destructive && !options.allowDestructive.has(version));
  if (unwanted)
    throw new MigrationRefused(
      `migration ${unwanted.version} (${unwanted.name}) loses data; set ALLOW_DESTRUCTIVE_MIGRATIONS=${unwanted.version} to consent`,
    );
  for (const migration of pending) await apply(client, migration);
  return pending;
}

/**
 * Brings the schema up to date and gives what was applied. Safe with any number of processes at once: one does the work, the others wait for its lock
 * and find nothing left to do. Each migration is one transaction.
 */
export async function migrate(client: ClientBase, options: MigrateOptions): Promise<Migration[]> {
  const fault = faultOf(options.migrations);
  if (fault) throw new MigrationRefused(fault);
  await client.query("select pg_advisory_lock($1)", [advisoryLock]);
  try {
    return await migrateLocked(client, options);
  } finally {
    await client.query("select pg_advisory_unlock($1)", [advisoryLock]).catch(() => undefined);
  }
}
