import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@dhow/kube";
import type { Journal } from "../../src/storage/journal.ts";
import { Storage, WriteConflict } from "../../src/storage/storage.ts";

function configMap(name: string, value = "v"): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "n" }, data: { key: value } };
}

const kind = "configmaps";

/** What every journal must keep, seen through the storage on top of it. */
export function journalSuite(name: string, open: () => Journal): void {
  const storageOn = () => new Storage(open());

  test(`${name}: numbers writes, and shows them when they are acknowledged`, async () => {
    const storage = storageOn();
    const pending = storage.put(kind, "n/a", configMap("a"), 0);
    assert.equal(storage.get(kind, "n/a"), undefined);
    const stored = await pending;
    assert.equal(stored.revision, 1);
    assert.equal(stored.object.metadata.resourceVersion, "1");
    assert.equal(storage.get(kind, "n/a"), stored);
    assert.deepEqual(JSON.parse(stored.text), stored.object);
    assert.ok(Object.isFrozen(stored.object["data"]));
    storage.close();
  });

  test(`${name}: a write that expects another revision changes nothing`, async () => {
    const storage = storageOn();
    await storage.put(kind, "n/a", configMap("a"), 0);
    await storage.put(kind, "n/a", configMap("a", "2"), 1);
    for (const attempt of [
      storage.put(kind, "n/a", configMap("a"), 0),
      storage.put(kind, "n/a", configMap("a"), 1),
      storage.remove(kind, "n/a", 1),
      storage.remove(kind, "n/none", 0),
    ]) {
      await assert.rejects(attempt, WriteConflict);
    }
    assert.equal(storage.revision, 2);
    storage.close();
  });

  test(`${name}: writers of one turn share a commit and see each other's work`, async () => {
    let commits = 0;
    const journal = open();
    const storage = new Storage({
      ...journal,
      commit: (changes) => (commits++, journal.commit(changes)),
    });
    const results = await Promise.allSettled([
      storage.put(kind, "n/a", configMap("a", "first"), 0),
      storage.put(kind, "n/a", configMap("a", "second"), 0),
      storage.put(kind, "n/a", configMap("a", "third"), 1),
      storage.put(kind, "n/b", configMap("b"), 0),
      storage.remove(kind, "n/b", 3),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"],
    );
    assert.equal(commits, 1);
    assert.deepEqual(storage.get(kind, "n/a")?.object["data"], { key: "third" });
    assert.equal(storage.get(kind, "n/b"), undefined);
    assert.equal(storage.revision, 4);
    storage.close();
  });

  test(`${name}: nothing happened when the commit fails`, async () => {
    const journal = open();
    let failing = false;
    const storage = new Storage({
      ...journal,
      commit(changes) {
        if (failing) throw new Error("disk full");
        journal.commit(changes);
      },
    });
    await storage.put(kind, "n/a", configMap("a"), 0);
    failing = true;
    await assert.rejects(storage.put(kind, "n/a", configMap("a", "2"), 1), /disk full/);
    failing = false;
    assert.deepEqual(storage.get(kind, "n/a")?.object["data"], { key: "v" });
    const after = await storage.put(kind, "n/a", configMap("a", "3"), 1);
    assert.equal(after.revision, 2);
    storage.close();
  });

  test(`${name}: lists are in the order of keys, by prefix and from a start`, async () => {
    const storage = storageOn();
    await Promise.all(["n/b", "n/a", "m/z", "n-a/a", "n/c"].map((key) => storage.put(kind, key, configMap(key), 0)));
    const keys = (prefix?: string, start?: string) => storage.list(kind, prefix, start).map(({ key }) => key);
    assert.deepEqual(keys(), ["m/z", "n-a/a", "n/a", "n/b", "n/c"]);
    assert.deepEqual(keys("n/"), ["n/a", "n/b", "n/c"]);
    assert.deepEqual(keys("n/", "n/b"), ["n/b", "n/c"]);
    assert.deepEqual(keys("n/", "n/a\0"), ["n/b", "n/c"]);
    storage.close();
  });

  test(`${name}: a list of the past is put together from the events`, async () => {
    const storage = storageOn();
    await storage.put(kind, "n/a", configMap("a", "1"), 0);
    await storage.put(kind, "n/b", configMap("b", "1"), 0);
    await storage.put(kind, "n/a", configMap("a", "2"), 1);
    await storage.remove(kind, "n/b", 2);
    await storage.put(kind, "n/c", configMap("c"), 0);
    const past = storage.listAt(kind, "n/", "n/", 2);
    assert.deepEqual(
      past?.map(({ key, revision }) => [key, revision]),
      [
        ["n/a", 1],
        ["n/b", 2],
      ],
    );
    storage.close();
  });

  test(`${name}: events are kept for a while, then forgotten`, async () => {
    const storage = new Storage(open(), 10);
    await storage.put(kind, "n/a", configMap("a"), 0);
    for (let revision = 1; revision <= 30; revision++) await storage.put(kind, "n/a", configMap("a"), revision);
    const log = storage.events(kind);
    assert.equal(log.after(1), undefined);
    assert.equal(log.since(29)?.length, 2);
    assert.equal(log.since(31)?.length, 0);
    assert.ok(log.oldest > 1 && log.oldest <= 21);
    storage.close();
  });

  test(`${name}: what was before the compaction before the last is forgotten`, async () => {
    const storage = storageOn();
    await storage.put(kind, "n/a", configMap("a", "1"), 0);
    await storage.put(kind, "n/a", configMap("a", "2"), 1);
    storage.compact();
    await storage.put(kind, "n/a", configMap("a", "3"), 2);
    assert.equal(storage.listAt(kind, "", "", 1)?.length, 1);
    storage.compact();
    assert.equal(storage.listAt(kind, "", "", 1), undefined);
    assert.equal(storage.events(kind).since(1), undefined);
    assert.deepEqual(
      storage.listAt(kind, "", "", 2)?.map(({ revision }) => revision),
      [2],
    );
    assert.equal(storage.events(kind).since(2)?.length, 1);
    storage.compact();
    assert.equal(storage.events(kind).since(2), undefined);
    assert.deepEqual([storage.get(kind, "n/a")?.revision, storage.events(kind).since(3)?.length], [3, 0]);
    storage.close();
  });
}
