import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { messageOf } from "@dhow/base";
import { storeCutShort, storeDamaged, storeFull, storeInUse, storeOfAnotherFormat } from "../errors.ts";
import { acceptedLoss, type Acknowledged, forgetAcceptedLoss, openAcknowledged } from "./acknowledged.ts";
import type { Change, Journal, Row } from "./journal.ts";

/** Raised whenever the tables change; an older or newer store is refused instead of misread. */
const format = 1;

const tables = `
  CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY CHECK (id = 0), revision INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO meta VALUES (0, 0);
  PRAGMA user_version = ${format};
`;

/**
 * A row that is there already is altered in its place, which touches the page that it is on and no other, as a rule. `INSERT OR REPLACE` takes it away and
 * adds one under a new number, with all that leads to it: nine pages for one ConfigMap, and half as much time again for the commit.
 */
const upsert = `INSERT INTO objects VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET revision = excluded.revision, value = excluded.value, checksum = excluded.checksum`;

/** `meta` has the number of the last row that went away, unless one that is there was written after it. */
const newest = "SELECT max((SELECT revision FROM meta), coalesce(max(revision), 0)) AS revision FROM objects";

/** What is given back at once, so that no request waits long (pages of 4 KiB), and what may lie about for the next rows: as much as is in use. */
const trimmedPages = 1000;
const sparePages = 1000;

/**
 * The durable store: one SQLite file, write-ahead log, every commit synced to the disk before it returns. The file is held
 * exclusively, so that two servers never share one. SQLite checks pages only in its log; each value carries a checksum of its own.
 */
export function openSqliteJournal(folder: string): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "store.sqlite");
  const acknowledged = openAcknowledged(folder);
  lookAtLog(file, acknowledged);
  const database = open(file);
  const put = database.prepare(upsert);
  const remove = database.prepare("DELETE FROM objects WHERE resource = ? AND key = ?");
  const mark = database.prepare("UPDATE meta SET revision = ?");
  const begin = database.prepare("BEGIN");
  const end = database.prepare("COMMIT");
  let accepted = acceptedLoss(folder);
  let revision = Math.max(lastRevision(database), accepted);
  if (revision < acknowledged.revision) {
    database.close();
    throw storeCutShort(file, revision, acknowledged.revision, acknowledged.file);
  }
  return {
    get revision() {
      return revision;
    },
    rows: () => readRows(database, file),
    commit(changes: readonly Change[]) {
      const last = changes.at(-1);
      if (!last) return;
      const write = ({ resource, key, revision: changed, text }: Change) => {
        if (text === undefined) remove.run(resource, key);
        else put.run(resource, key, changed, text, crc32(text));
      };
      // A row that stays carries the number itself: one page less to write. One that is alone is a transaction already.
      const alone = changes.length === 1 && last.text !== undefined;
      try {
        if (!alone) begin.run();
        for (const change of changes) write(change);
        if (last.text === undefined) mark.run(last.revision);
        if (!alone) end.run();
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw explain(error, file);
      }
      revision = last.revision;
      acknowledged.note(revision);
      if (accepted > 0) forgetAcceptedLoss(folder);
      accepted = 0;
    },
    close() {
      acknowledged.close();
      database.close();
    },
    trim: () => trim(database),
  };
}

function lastRevision(database: DatabaseSync): number {
  return (database.prepare(newest).get() as { revision: number }).revision;
}

/**
 * What a killed server has left in the log is looked at before anything is written: throws where its end cannot be read. A connection that
 * only reads leaves the log as it is, while SQLite otherwise takes over what is whole of it and throws away the rest.
 */
function lookAtLog(file: string, acknowledged: Acknowledged): void {
  if (acknowledged.revision === 0 || !statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) return;
  const found = readRevision(file);
  if (found !== undefined && found < acknowledged.revision)
    throw storeCutShort(`${file}-wal`, found, acknowledged.revision, acknowledged.file);
}

/** Undefined where a look without writing is not possible: an index of the log has to be made for it, and the disk may be full. */
function readRevision(file: string): number | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    return lastRevision(database);
  } catch (error) {
    const code = primaryCode(error);
    // No such table: nothing of the log can be read.
    if (code === 1) return 0;
    if (code === 10 || code === 14) return undefined;
    throw explain(error, file);
  } finally {
    database?.close();
    rmSync(`${file}-shm`, { force: true });
  }
}

function open(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    // First of all: without it SQLite makes an index of the log on the disk.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const { user_version: found } = database.prepare("PRAGMA user_version").get() as { user_version: number };
    if (found === 0) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    // The log beside the store goes back to this size after a burst of writes.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304");
    if (found !== 0 && found !== format) throw storeOfAnotherFormat(file, found, format);
    const check = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw storeDamaged(file, check.quick_check);
    // Nothing is written where all is there: a server starts on a full disk, too.
    if (found !== format) database.exec(`BEGIN IMMEDIATE; ${tables} COMMIT`);
    return database;
  } catch (error) {
    database?.close();
    throw explain(error, file);
  }
}

/** Rows that go leave free pages, which the next rows use: only what is far too much is given back. */
function trim(database: DatabaseSync): void {
  const number = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  const free = number("freelist_count");
  const spare = Math.max(sparePages, number("page_count") - free);
  if (free <= spare) return;
  try {
    database.exec(`PRAGMA incremental_vacuum(${Math.min(free - spare, trimmedPages)})`);
  } catch {
    // Moving pages takes space in the log, which a full disk has not: another time.
  }
}

/** SQLite's result codes (sqlite.org/rescode.html): 1 error, 5 busy, 10 I/O, 11 corrupt, 13 full, 14 cannot open, 26 not a database. */
function primaryCode(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff;
}

function explain(error: unknown, file: string): unknown {
  const code = primaryCode(error);
  if (code === 5) return storeInUse(file);
  if (code === 10 || code === 13) return storeFull(file, messageOf(error));
  if (code === 11 || code === 26) return storeDamaged(file, messageOf(error));
  return error;
}

function* readRows(database: DatabaseSync, file: string): Iterable<Row> {
  try {
    const all = database.prepare("SELECT resource, key, revision, value AS text, checksum FROM objects");
    for (const row of all.iterate() as Iterable<Row & { checksum: number }>) {
      if (crc32(row.text) !== row.checksum) throw storeDamaged(file, `checksum of ${row.resource} ${row.key}`);
      yield row;
    }
  } catch (error) {
    throw explain(error, file);
  }
}
