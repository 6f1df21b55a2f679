// What becomes of a store whose server was killed, whose log is damaged at its end, or whose disk is full.
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DhowError } from "@dhow/base";
import { type KubeList, type KubeObject, readText } from "@dhow/kube";
import { noSmallDisk, smallDisk, temporaryFolder } from "@dhow/testkit";
import { openSqliteJournal } from "../../src/storage/sqlite-journal.ts";
import { Storage } from "../../src/storage/storage.ts";
import { startInProcess } from "../in-process.ts";

const written = 30;

function object(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { text: "x".repeat(500) } };
}

/** A folder as a server that was killed has left it: every one of the writes was acknowledged. */
async function killedStore(into: string): Promise<void> {
  using folder = temporaryFolder();
  const storage = new Storage(openSqliteJournal(folder.path));
  for (let at = 0; at < written; at++) await storage.put("secrets", `n/${at}`, object(String(at)), 0);
  cpSync(folder.path, into, { recursive: true });
  storage.close();
}

const log = (folder: string) => join(folder, "store.sqlite-wal");

function contents(folder: string): Map<string, string> {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("base64")]));
}

function alterLog(folder: string, alter: (bytes: Buffer) => void): void {
  const bytes = readFileSync(log(folder));
  alter(bytes);
  writeFileSync(log(folder), bytes);
}

const damages: Record<string, (folder: string) => void> = {
  "whose last page has changed": (folder) => alterLog(folder, (bytes) => bytes.fill(0x5a, bytes.length - 300)),
  "one of whose bits has changed": (folder) =>
    alterLog(folder, (bytes) => (bytes[bytes.length - 2000] = (bytes[bytes.length - 2000] ?? 0) ^ 4)),
  "that is cut off in its last page": (folder) => truncateSync(log(folder), readFileSync(log(folder)).length - 100),
  "whose last page is empty": (folder) => alterLog(folder, (bytes) => bytes.fill(0, bytes.length - 4120)),
  "whose beginning has changed": (folder) => alterLog(folder, (bytes) => bytes.fill(0x5a, 8, 24)),
  "that is gone": (folder) => rmSync(log(folder)),
};

describe("a log", () => {
  for (const [name, damage] of Object.entries(damages)) {
    test(`${name} is refused with what is missing and what to do, and left as it is`, async () => {
      using folder = temporaryFolder();
      await killedStore(folder.path);
      damage(folder.path);
      const before = contents(folder.path);
      for (const _ of [1, 2]) {
        assert.throws(
          () => openSqliteJournal(folder.path),
          (error) => {
            assert.ok(error instanceof DhowError);
            assert.equal(error.code, "APISERVER_STORE_CUT_SHORT");
            assert.match(error.message, new RegExp(`goes up to change \\d+, and ${written} were acknowledged`));
            assert.ok(error.place?.file.startsWith(join(folder.path, "store.sqlite")));
            assert.match(error.instead ?? "", /go on without the last \d+: mv '.*\/acknowledged' '.*\/accepted-loss'/);
            return true;
          },
        );
      }
      if (existsSync(log(folder.path))) assert.deepEqual(contents(folder.path), before);
    });
  }

  test("whose loss is accepted has all that came before, and gives no number twice", async () => {
    using folder = temporaryFolder();
    await killedStore(folder.path);
    damages["whose last page has changed"]?.(folder.path);
    renameSync(join(folder.path, "acknowledged"), join(folder.path, "accepted-loss"));
    const storage = new Storage(openSqliteJournal(folder.path));
    assert.equal(storage.count("secrets"), written - 1);
    assert.equal(storage.revision, written);
    const { revision } = await storage.put("secrets", "n/more", object("more"), 0);
    assert.equal(revision, written + 1);
    storage.close();
    const again = new Storage(openSqliteJournal(folder.path));
    assert.equal(again.revision, written + 1);
    again.close();
  });

  test("that ends in a write which nobody was told of is whole up to there", async () => {
    using folder = temporaryFolder();
    using before = temporaryFolder();
    const storage = new Storage(openSqliteJournal(folder.path));
    for (let at = 0; at < written; at++) await storage.put("secrets", `n/${at}`, object(String(at)), 0);
    cpSync(folder.path, before.path, { recursive: true });
    const { length } = readFileSync(log(before.path));
    await storage.put("secrets", "n/last", object("last"), 0);
    // The log of afterwards without its end, beside the mark of before: the server was killed between the two.
    const whole = readFileSync(log(folder.path));
    assert.ok(whole.length > length);
    writeFileSync(log(before.path), whole.subarray(0, whole.length - 50));
    storage.close();
    const again = new Storage(openSqliteJournal(before.path));
    assert.equal(again.revision, written);
    assert.equal(again.count("secrets"), written);
    assert.equal((await again.put("secrets", "n/last", object("last"), 0)).revision, written + 1);
    again.close();
  });

  test("of a killed server has everything, and its number goes on", async () => {
    using folder = temporaryFolder();
    await killedStore(folder.path);
    const storage = new Storage(openSqliteJournal(folder.path));
    assert.deepEqual([storage.count("secrets"), storage.revision], [written, written]);
    storage.close();
    assert.deepEqual(readdirSync(folder.path).sort(), ["acknowledged", "store.sqlite"]);
  });
});

describe("a full disk", { skip: noSmallDisk }, () => {
  const path = "/api/v1/namespaces/default/configmaps";
  const configMap = (name: string, size: number) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: { text: "x".repeat(size) },
  });

  test("refuses writes as a real server does whose etcd has no space, while reads go on; with space again writes go on", async () => {
    using disk = smallDisk(16);
    const folder = join(disk.path, "store");
    const seen: number[] = [];
    {
      await using server = await startInProcess({ folder });
      for (let at = 0; at < 5; at++) await server.call("POST", path, configMap(`before-${at}`, 1000));
      disk.fill();
      let refused = 0;
      for (let at = 0; at < 40; at++) {
        const body = JSON.stringify(configMap(`full-${at}`, 20_000));
        const response = await server.raw("POST", path, { body, headers: { "content-type": "application/json" } });
        const answer = JSON.parse(await readText(response.body));
        if (response.status === 201) {
          seen.push(Number(answer.metadata.resourceVersion));
          continue;
        }
        refused += 1;
        const { message, ...status } = answer;
        assert.deepEqual(status, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: 500 });
        assert.match(
          message,
          /^The cluster's store cannot be written, so nothing is changed: .*full.*store\.sqlite.*Free some space/,
        );
      }
      assert.ok(refused > 20, `${refused} of 40 were refused`);
      const list = await server.call<KubeList>("GET", path);
      assert.equal(list.items.filter(({ metadata }) => metadata.name?.startsWith("before-")).length, 5);
      assert.equal(list.items.filter(({ metadata }) => metadata.name?.startsWith("full-")).length, seen.length);
      disk.free();
      const after = await server.call("POST", path, configMap("after", 20_000));
      assert.ok(Number(after.metadata.resourceVersion) > Math.max(0, ...seen), "no number is given twice");
    }
    await using again = await startInProcess({ folder });
    const names = (await again.call<KubeList>("GET", path)).items.map(({ metadata }) => metadata.name ?? "");
    assert.equal(names.filter((name) => /^(before-|after)/.test(name)).length, 6);
    assert.equal(names.filter((name) => name.startsWith("full-")).length, seen.length);
  });

  test("does not keep a server that was killed from starting again and being read", async () => {
    using disk = smallDisk(16);
    const [first, second] = [join(disk.path, "first"), join(disk.path, "second")];
    {
      await using server = await startInProcess({ folder: first });
      await server.call("POST", path, configMap("before", 1000));
      cpSync(first, second, { recursive: true });
    }
    disk.fill();
    await using again = await startInProcess({ folder: second });
    assert.equal((await again.call("GET", `${path}/before`)).metadata.name, "before");
    disk.free();
    await again.call("POST", path, configMap("after", 20_000));
  });
});
