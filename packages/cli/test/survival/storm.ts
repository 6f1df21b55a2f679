// kill -9 at random moments under writes, and what is looked at after each. DHOW_SEED repeats a run.
import assert from "node:assert/strict";
import { chownSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stateFolder } from "@dhow/development";
import { eventually, temporaryFolder } from "@dhow/testkit";
import { killProcess, Killer, type Victim, victims } from "./killer.ts";
import { moments } from "./moments.ts";
import { Revisions } from "./revisions.ts";
import { namespace, Shop, type ShopOptions } from "./shop.ts";
import { Visitors } from "./visitors.ts";
import { Watcher } from "./watcher.ts";
import { Writers, written } from "./writers.ts";

/** Registers the tests of so many kills of a system that is run in this way; DHOW_KILLS says another number. */
export function killStorm(name: string, usually: number, options: ShopOptions = {}): void {
  const kills = Number(process.env["DHOW_KILLS"] ?? usually);
  describe(`kill -9 ${name}`, () => register(kills, options));
}

function register(kills: number, options: ShopOptions): void {
  const random = moments();
  const temporary = temporaryFolder();
  const usual = process.env["TMPDIR"];
  const revisions = new Revisions();
  let shop: Shop;
  let writers: Writers;
  let watchers: Watcher[] = [];
  let visitors: Visitors;
  let killer: Killer;

  before(async () => {
    shop = await Shop.open(options);
    // What is left in the temporary folder would be another's, too.
    process.env["TMPDIR"] = temporary.path;
    if (options.user) chownSync(temporary.path, options.user.uid, options.user.gid);
    await shop.up();
    const client = () => shop.client;
    writers = new Writers({ client, namespace, revisions, count: 3 });
    const watch = (kind: string, of: { labelSelector?: string } = {}) =>
      new Watcher({ client, of: { apiVersion: "v1", kind, namespace }, revisions, ...of });
    watchers = [watch("ConfigMap", { labelSelector: written }), watch("Pod"), watch("Event")];
    visitors = new Visitors(shop.url, 2);
    killer = new Killer(shop, writers, visitors, random);
  });
  after(async () => {
    await writers?.pause();
    await visitors?.stop();
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    await shop?.[Symbol.asyncDispose]();
    if (usual === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usual;
    temporary[Symbol.dispose]();
  });

  test(`${kills} times: nothing acknowledged is lost, nothing is left behind`, { timeout: 3_600_000 }, async (t) => {
    t.diagnostic(`DHOW_SEED=${random.seed} DHOW_KILLS=${kills}`);
    // Each at least once, then as it comes.
    const each = Object.keys(victims) as Victim[];
    for (let number = 0; number < kills; number++) {
      const victim = each[number] ?? random.pick(victims);
      await killer.survive(victim).catch((error: unknown) => {
        const what = `kill ${number + 1}, ${victim}, DHOW_SEED=${random.seed}`;
        throw new Error(`${what}:\n${shop.output.slice(-2000)}`, { cause: error });
      });
    }
    for (const line of [...killer.account(), ...account(writers, visitors, watchers, revisions)]) t.diagnostic(line);
    assert.deepEqual(writers.lost, []);
    assert.deepEqual(writers.refused, []);
    assert.deepEqual(killer.left, []);
    assert.deepEqual(killer.disturbed, []);
    assert.deepEqual([...revisions.faults, ...watchers.flatMap(({ faults }) => faults)], []);
    assert.ok(writers.acknowledged > kills, `${writers.acknowledged} writes`);
  });

  test("watches that went on over all of it show what is there", async () => {
    const of = { apiVersion: "v1", kind: "ConfigMap", namespace };
    const { items } = await shop.client.list(of, { labelSelector: written });
    const there = Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
    await eventually(() => {
      assert.deepEqual(Object.fromEntries(watchers[0]?.state ?? []), there);
      return true;
    });
  });

  test("pods that are gone have no folders", async () => {
    const uids = (await shop.pods()).map(({ metadata }) => metadata.uid ?? "");
    const nodes = join(stateFolder(shop.folder).agent, "nodes");
    const kept = (what: string) => new Set(readdirSync(nodes).flatMap((node) => readdirSync(join(nodes, node, what))));
    assert.deepEqual(kept("pods"), new Set(uids));
    assert.deepEqual(kept("records"), new Set(uids.map((uid) => `${uid}.json`)));
  });

  test("down leaves nothing", async () => {
    const snapshot = await shop.snapshot();
    await visitors.stop();
    killProcess(shop.host, "SIGTERM");
    await shop.ended();
    assert.deepEqual(await shop.everythingIsGone(snapshot), []);
    const { sockets } = snapshot.seen;
    const names = readdirSync(temporary.path, { recursive: true }).map(String);
    assert.deepEqual(
      new Set(names.map((name) => join(temporary.path, name))),
      new Set([dirname(sockets), sockets]),
      "the folder for sockets, and nothing in it",
    );
  });
}

function account(
  writers: Writers,
  visitors: Visitors,
  watchers: readonly Watcher[],
  revisions: Revisions,
): readonly string[] {
  const watched = watchers.map(({ resumed, listed }) => `resumed ${resumed} times, listed ${listed} times`);
  return [
    `${writers.acknowledged} writes acknowledged, ${writers.lost.length} lost; ${writers.unanswered} attempts unanswered`,
    `${visitors.answered} requests answered`,
    `watches: ${watched.join("; ")}; ${revisions.count} resourceVersions seen, none twice: ${revisions.faults.length === 0}`,
  ];
}
