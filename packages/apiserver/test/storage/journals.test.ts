import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { DhowError } from "@dhow/base";
import type { KubeObject } from "@dhow/kube";
import { temporaryFolder } from "@dhow/testkit";
import { memoryJournal } from "../../src/storage/journal.ts";
import { openSqliteJournal } from "../../src/storage/sqlite-journal.ts";
import { Storage } from "../../src/storage/storage.ts";
import { journalSuite } from "./journal-suite.ts";

const folders = temporaryFolder();
process.once("exit", () => folders[Symbol.dispose]());
let count = 0;

journalSuite("memory", memoryJournal);
journalSuite("sqlite", () => openSqliteJournal(join(folders.path, String(count++))));

function object(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { text: "äöü 🚢" } };
}

test("a store that is opened again has everything, and goes on counting", async () => {
  using folder = temporaryFolder();
  const first = new Storage(openSqliteJournal(folder.path));
  await first.put("secrets", "n/a", object("a"), 0);
  await first.put("secrets", "n/b", object("b"), 0);
  const { text } = first.get("secrets", "n/a") ?? {};
  await first.remove("secrets", "n/b", 2);
  first.close();
  const second = new Storage(openSqliteJournal(folder.path));
  assert.equal(second.revision, 3);
  assert.equal(second.get("secrets", "n/a")?.text, text);
  assert.equal(second.count("secrets"), 1);
  // What happened before is not known any more, so whoever watched must list again.
  assert.equal(second.events("secrets").after(2), undefined);
  assert.equal(second.events("secrets").after(3), 0);
  second.close();
});

test("a store gives back what rows that are gone have left, a piece at a time, and keeps some for the next ones", async () => {
  using folder = temporaryFolder();
  const journal = openSqliteJournal(folder.path);
  const megabytes = () => {
    // What was committed is in the file itself once the log beside it has been taken over.
    const size = (name: string) => statSync(join(folder.path, name), { throwIfNoEntry: false })?.size ?? 0;
    return (size("store.sqlite") + size("store.sqlite-wal")) >> 20;
  };
  const rows = Array.from({ length: 4000 }, (_, index) => ({
    resource: "secrets",
    key: `n/${index}`,
    revision: index,
  }));
  journal.commit(rows.map((row) => ({ ...row, text: "x".repeat(8000) })));
  assert.ok(megabytes() > 30);
  journal.commit(rows.slice(10).map((row) => ({ ...row, text: undefined })));
  for (let piece = 0; piece < 12; piece++) journal.trim();
  journal.commit([{ resource: "secrets", key: "n/last", revision: 5000, text: "last" }]);
  assert.ok(megabytes() < 12, `${megabytes()} MB`);
  assert.equal([...journal.rows()].length, 11);
  journal.close();
});

test("what was acknowledged survives kill -9", async () => {
  using folder = temporaryFolder();
  const program = `
    import { openSqliteJournal } from ${JSON.stringify(new URL("../../src/storage/sqlite-journal.ts", import.meta.url).href)};
    import { Storage } from ${JSON.stringify(new URL("../../src/storage/storage.ts", import.meta.url).href)};
    const storage = new Storage(openSqliteJournal(${JSON.stringify(folder.path)}));
    for (let number = 0; ; number++) {
      await storage.put("secrets", "n/" + number, { apiVersion: "v1", kind: "Secret", metadata: { name: String(number) } }, 0);
      process.stdout.write(number + "\\n");
    }`;
  const writer = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  writer.stdout.on("data", (piece: Buffer) => {
    output += piece.toString();
    if (output.split("\n").length > 50) writer.kill("SIGKILL");
  });
  await once(writer, "close");
  const acknowledged = output.split("\n").slice(0, -1).map(Number);
  const storage = new Storage(openSqliteJournal(folder.path));
  for (const number of acknowledged) assert.ok(storage.get("secrets", `n/${number}`), `${number} is lost`);
  storage.close();
});

function refusal(code: string) {
  return (error: unknown) => error instanceof DhowError && error.code === code && error.instead !== undefined;
}

test("a store that another one holds is refused", () => {
  using folder = temporaryFolder();
  const journal = openSqliteJournal(folder.path);
  assert.throws(() => openSqliteJournal(folder.path), refusal("APISERVER_STORE_IN_USE"));
  journal.close();
});

async function filledStore(path: string): Promise<string> {
  const storage = new Storage(openSqliteJournal(path));
  await Promise.all(Array.from({ length: 50 }, (_, at) => storage.put("secrets", `n/${at}`, object(String(at)), 0)));
  storage.close();
  return join(path, "store.sqlite");
}

test("a store that is no database is refused, and left as it is", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "store.sqlite");
  appendFileSync(file, "this is not a database, but long enough to look at; ".repeat(100));
  const before = readFileSync(file);
  assert.throws(() => openSqliteJournal(folder.path), refusal("APISERVER_STORE_DAMAGED"));
  assert.deepEqual(readFileSync(file), before);
});

test("a store with broken pages is refused", async () => {
  using folder = temporaryFolder();
  const file = await filledStore(folder.path);
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4096, bytes.length);
  writeFileSync(file, bytes);
  assert.throws(() => new Storage(openSqliteJournal(folder.path)), refusal("APISERVER_STORE_DAMAGED"));
});

test("a value that changed on the disk is noticed", async () => {
  using folder = temporaryFolder();
  const file = await filledStore(folder.path);
  const database = new DatabaseSync(file);
  database.exec(`UPDATE objects SET value = replace(value, 'Secret', 'secret') WHERE key = 'n/7'`);
  database.close();
  assert.throws(() => new Storage(openSqliteJournal(folder.path)), refusal("APISERVER_STORE_DAMAGED"));
});

test("a store of another format is refused", async () => {
  using folder = temporaryFolder();
  const database = new DatabaseSync(await filledStore(folder.path));
  database.exec("PRAGMA user_version = 99");
  database.close();
  assert.throws(() => openSqliteJournal(folder.path), refusal("APISERVER_STORE_FORMAT"));
});

test("a store that is opened again knows the last number, whatever that change was", () => {
  using folder = temporaryFolder();
  const row = (key: string, revision: number, text: string | undefined) => ({
    resource: "secrets",
    key,
    revision,
    text,
  });
  const committed = [
    [row("n/a", 1, "a")],
    [row("n/a", 2, "b"), row("n/b", 3, "b")],
    [row("n/b", 4, undefined)],
    [row("n/c", 5, "c")],
    [row("n/c", 6, undefined), row("n/a", 7, "c")],
    [row("n/a", 8, undefined)],
  ];
  for (const changes of committed) {
    const journal = openSqliteJournal(folder.path);
    journal.commit(changes);
    journal.close();
    const again = openSqliteJournal(folder.path);
    assert.equal(again.revision, changes.at(-1)?.revision);
    again.close();
  }
});
