import assert from "node:assert/strict";
import { test } from "node:test";
import { type Informer, startInformer } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { answer, configMap, line, listOf, smallServer } from "./small-server.ts";

const configMaps = { apiVersion: "v1", kind: "ConfigMap" };

function record(informer: Informer): string[] {
  const changes: string[] = [];
  informer.onChange((object, old) => {
    const show = (one: typeof object) => (one ? `${one.metadata.name}@${one.metadata.resourceVersion}` : "-");
    changes.push(`${show(old)} → ${show(object)}`);
  });
  return changes;
}

test("lists, then follows the watch from the list's place, in order", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal, labelSelector: "app=x" });
  const changes = record(informer);
  answer(await server.next(), listOf(5, configMap("a", 1), configMap("b", 2)));
  await informer.synced;
  assert.deepEqual(changes, ["- → a@1", "- → b@2"]);
  const watch = await server.next();
  assert.equal(watch.url.searchParams.get("resourceVersion"), "5");
  assert.equal(watch.url.searchParams.get("allowWatchBookmarks"), "true");
  assert.equal(watch.url.searchParams.get("labelSelector"), "app=x");
  watch.response.write(line("MODIFIED", configMap("a", 6)) + line("ADDED", configMap("c", 7)));
  watch.response.write(line("DELETED", configMap("b", 8)) + line("ADDED", configMap("b", 9)));
  await eventually(() => changes.length === 6);
  assert.deepEqual(changes.slice(2), ["a@1 → a@6", "- → c@7", "b@2 → -", "- → b@9"]);
  assert.deepEqual(new Set(informer.list("default").map((object) => object.metadata.name)), new Set(["a", "b", "c"]));
  assert.equal(informer.get("default", "a")?.metadata.resourceVersion, "6");
  assert.deepEqual(informer.list("elsewhere"), []);
  abort.abort();
  await informer.ended;
});

test("objects are frozen all the way down and carry apiVersion and kind", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  const { apiVersion: _, kind: __, ...item } = configMap("a", 1, { key: "value" });
  answer(await server.next(), { ...listOf(5), items: [item] });
  await informer.synced;
  const object = informer.get("default", "a");
  assert.equal(object?.kind, "ConfigMap");
  assert.throws(() => Object.assign(object?.["data"] as object, { key: "other" }), TypeError);
  abort.abort();
  await informer.ended;
});

test("resumes a broken watch where it broke off, bookmarks counted", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  const changes = record(informer);
  answer(await server.next(), listOf(5));
  const first = await server.next();
  first.response.write(line("ADDED", configMap("a", 6)));
  await eventually(() => changes.length === 1);
  first.response.destroy();
  const second = await server.next();
  assert.equal(second.url.searchParams.get("resourceVersion"), "6");
  second.response.write(line("BOOKMARK", { kind: "ConfigMap", metadata: { resourceVersion: "40" } }));
  // Cut in the middle of an event: it must come again.
  second.response.end(line("ADDED", configMap("b", 41)).slice(0, 30));
  const third = await server.next();
  assert.equal(third.url.searchParams.get("resourceVersion"), "40");
  third.response.write(line("ADDED", configMap("b", 41)));
  await eventually(() => changes.length === 2);
  assert.deepEqual(changes, ["- → a@6", "- → b@41"]);
  abort.abort();
  await informer.ended;
});

for (const how of ["an ERROR event", "an answer 410"]) {
  test(`reads the list anew after ${how} and delivers the differences`, async () => {
    await using server = await smallServer();
    const abort = new AbortController();
    const problems: unknown[] = [];
    const onProblem = (problem: unknown) => problems.push(problem);
    const informer = startInformer(server.client, configMaps, { signal: abort.signal, onProblem });
    const changes = record(informer);
    answer(await server.next(), listOf(5, configMap("a", 1), configMap("b", 2), configMap("c", 3)));
    const watch = await server.next();
    const expired = { kind: "Status", status: "Failure", reason: "Expired", code: 410, message: "too old" };
    if (how === "an ERROR event") watch.response.end(line("ERROR", expired));
    else answer(watch, expired, 410);
    const reborn = configMap("c", 53);
    reborn.metadata.uid = "another";
    answer(await server.next(), listOf(60, configMap("a", 1), configMap("d", 52), reborn));
    const again = await server.next();
    assert.equal(again.url.searchParams.get("resourceVersion"), "60");
    assert.deepEqual(changes.slice(3), ["- → d@52", "c@3 → -", "- → c@53", "b@2 → -"]);
    assert.equal(problems.length, 1);
    abort.abort();
    await informer.ended;
  });
}

test("tries a failing list again until it succeeds", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  answer(await server.next(), { message: "etcd is away" }, 500);
  (await server.next()).response.destroy();
  answer(await server.next(), listOf(5, configMap("a", 1)));
  await informer.synced;
  assert.equal(informer.list().length, 1);
  abort.abort();
  await informer.ended;
});

test("reads long lists in pages", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  const first = await server.next();
  assert.equal(first.url.searchParams.get("limit"), "500");
  const page = listOf(5, configMap("a", 1));
  answer(first, { ...page, metadata: { ...page.metadata, continue: "more" } });
  const second = await server.next();
  assert.equal(second.url.searchParams.get("continue"), "more");
  answer(second, listOf(5, configMap("b", 2)));
  await informer.synced;
  assert.equal(informer.list().length, 2);
  abort.abort();
  await informer.ended;
});

test("an abort closes the connection and delivers nothing more", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  const changes = record(informer);
  answer(await server.next(), listOf(5));
  const watch = await server.next();
  watch.response.write(line("ADDED", configMap("a", 6)));
  await eventually(() => changes.length === 1);
  const closed = new Promise((resolve) => watch.response.on("close", resolve));
  abort.abort();
  await informer.ended;
  await closed;
  assert.equal(changes.length, 1);
  assert.equal(server.seen.length, 2);
});

test("synced rejects when the abort comes first", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  await server.next();
  abort.abort(new Error("stopped"));
  await assert.rejects(informer.synced, /stopped/);
});

test("a late listener hears of what is there already", async () => {
  await using server = await smallServer();
  const abort = new AbortController();
  const informer = startInformer(server.client, configMaps, { signal: abort.signal });
  answer(await server.next(), listOf(5, configMap("a", 1)));
  await informer.synced;
  assert.deepEqual(record(informer), ["- → a@1"]);
  abort.abort();
  await informer.ended;
});
