// The disk of a running system is full for a while.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isStatusError, type KubeObject } from "@dhow/kube";
import { eventually, noSmallDisk, type SmallDisk, smallDisk } from "@dhow/testkit";
import { dhow } from "../fixture.ts";
import { footprint, leftovers } from "../footprint.ts";
import { killProcess } from "./killer.ts";
import { namespace, Shop } from "./shop.ts";
import { Visitors } from "./visitors.ts";

const configMap = (name: string, size = 10): KubeObject & { data: object } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data: { text: "x".repeat(size) },
});

describe("a full disk under a running system", { skip: noSmallDisk }, () => {
  let disk: SmallDisk;
  let shop: Shop;
  const written: string[] = [];

  before(async () => {
    disk = smallDisk(48);
    shop = await Shop.open({});
    // Everything that the cluster keeps lies on the small disk.
    mkdirSync(join(disk.path, "state"));
    symlinkSync(join(disk.path, "state"), join(shop.folder, ".dhow"));
    await shop.up();
  });
  after(async () => {
    await shop?.[Symbol.asyncDispose]();
    disk?.[Symbol.dispose]();
  });

  async function tryToWrite(name: string): Promise<boolean> {
    try {
      await shop.client.create(configMap(name, 30_000));
      written.push(name);
      return true;
    } catch (error) {
      assert.ok(isStatusError(error), String(error));
      assert.equal(error.code, 500);
      assert.match(
        error.message,
        /^The cluster's store cannot be written, so nothing is changed: .*Free some space there/,
      );
      return false;
    }
  }

  test("nothing ends: writes are refused with the reason, reads and requests go on, and a program that ends runs again", async () => {
    const before = shop.pidsOf("main.ts").filter((pid) => pid !== shop.host);
    await using visitors = new Visitors(shop.url, 2);
    disk.fill();
    let refused = 0;
    for (let at = 0; at < 60; at++) if (!(await tryToWrite(`full-${at}`))) refused += 1;
    assert.ok(refused > 20, `${refused} of 60 refused`);
    assert.equal((await shop.pods()).length, 2);
    await visitors.stop();
    assert.deepEqual(visitors.failures, []);
    assert.ok(visitors.answered > 0);
    assert.doesNotMatch(shop.output, /is started again/);
    assert.deepEqual(
      shop.pidsOf("main.ts").filter((pid) => pid !== shop.host),
      before,
    );
  });

  test("who is killed meanwhile starts again on the full disk, and reads what was there", async () => {
    const [plane = 0] = shop.pidsOf("control-plane/main.ts");
    killProcess(plane);
    await shop.startedAgain("control-plane/main.ts", [plane]);
    await eventually(async () => {
      const { items } = await shop.client.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
      return written.every((name) => items.some(({ metadata }) => metadata.name === name));
    }, 60_000);
  });

  test("with space again everything goes on: writes, and a pod's restart", async () => {
    disk.free();
    await eventually(() => tryToWrite(`after-${Date.now()}`), 60_000);
    const snapshot = await shop.snapshot();
    const [agent = 0] = shop.pidsOf("agent/main.ts").slice(-1);
    killProcess(agent);
    await shop.podsRunAgain(snapshot);
    const { items } = await shop.client.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
    const names = new Set(items.map(({ metadata }) => metadata.name));
    assert.deepEqual(
      written.filter((name) => !names.has(name)),
      [],
    );
  });

  test("down and up again find everything", async () => {
    const seen = footprint(shop.folder);
    assert.equal(dhow(shop.folder, "down").code, 0);
    await shop.ended();
    assert.deepEqual(leftovers(seen), []);
    await shop.up();
    const { items } = await shop.client.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
    const names = new Set(items.map(({ metadata }) => metadata.name));
    assert.deepEqual(
      written.filter((name) => !names.has(name)),
      [],
    );
  });
});

describe("a damaged store", () => {
  test("up says what is damaged, where, and what to do; what it says helps", async () => {
    await using shop = await Shop.open({});
    await shop.up();
    for (let at = 0; at < 5; at++) await shop.client.create(configMap(`kept-${at}`));
    // As a machine leaves it that is switched off.
    const store = join(shop.folder, ".dhow/store/store");
    const copy = join(shop.folder, "copy");
    for (const pid of shop.pidsOf("control-plane/main.ts")) killProcess(pid, "SIGSTOP");
    cpSync(store, copy, { recursive: true });
    for (const pid of shop.pidsOf("control-plane/main.ts")) killProcess(pid, "SIGCONT");
    assert.equal(dhow(shop.folder, "down").code, 0);
    await shop.ended();
    rmSync(store, { recursive: true });
    cpSync(copy, store, { recursive: true });
    const log = join(store, "store.sqlite-wal");
    const damaged = readFileSync(log);
    writeFileSync(log, damaged.fill(0x5a, damaged.length - 300));
    const { code, stderr } = dhow(shop.folder, "up");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /The end of the cluster's store cannot be read: it goes up to change \d+, and \d+ were acknowledged/,
    );
    assert.match(stderr, /store\.sqlite-wal/);
    const [, from = "", to = ""] = /Instead: .*: mv '(.+)' '(.+)'/.exec(stderr) ?? [];
    renameSync(from, to);
    await shop.up();
    const { items } = await shop.client.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
    const kept = items.filter(({ metadata }) => metadata.name?.startsWith("kept-"));
    assert.ok(kept.length >= 4, "all but what came last");
  });
});
