import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@dhow/kube";
import { FakeClock } from "@dhow/testkit";
import { type InProcess, startInProcess } from "../in-process.ts";

const place = "/api/v1/namespaces/default/configmaps";

interface Event {
  readonly type: string;
  readonly object: KubeObject;
}

/** Reads a watch event by event. */
async function watch(server: InProcess, query: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await server.raw("GET", `${place}?watch=1&${query}`, { headers, signal: abort.signal });
  assert.equal(response.status, 200);
  const pieces = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const events: Event[] = [];
  const next = async (): Promise<Event | undefined> => {
    while (events.length === 0) {
      const piece = await pieces.next();
      if (piece.done) return undefined;
      const lines = Buffer.from(piece.value).toString().trimEnd().split("\n");
      events.push(...lines.map((line) => JSON.parse(line) as Event));
    }
    return events.shift();
  };
  return { next, stop: () => abort.abort(), sayNext: async () => describe(await next()) };
}

function describe(event: Event | undefined): string {
  return event ? `${event.type} ${event.object.metadata.name ?? "-"}` : "end";
}

function configMap(name: string, labels: Record<string, string> = {}): object {
  return { metadata: { name, labels } };
}

test("a watch without a revision begins with what is there", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, configMap("a"));
  const { sayNext, stop } = await watch(server, "");
  assert.equal(await sayNext(), "ADDED a");
  await server.call("POST", place, configMap("b"));
  assert.equal(await sayNext(), "ADDED b");
  await server.call("DELETE", `${place}/a`);
  assert.equal(await sayNext(), "DELETED a");
  stop();
  assert.equal(await sayNext(), "end");
});

test("a watch from a revision shows each change after it, once", async () => {
  await using server = await startInProcess();
  const { metadata } = await server.call("POST", place, configMap("a"));
  await server.call("PATCH", `${place}/a`, { data: { k: "1" } }, "application/merge-patch+json");
  await server.call("PATCH", `${place}/a`, { data: { k: "1" } }, "application/merge-patch+json");
  await server.call("DELETE", `${place}/a`);
  const { sayNext, next } = await watch(server, `resourceVersion=${metadata.resourceVersion}`);
  assert.equal(await sayNext(), "MODIFIED a");
  const gone = await next();
  assert.equal(gone?.type, "DELETED");
  assert.equal(Number(gone?.object.metadata.resourceVersion), Number(metadata.resourceVersion) + 2);
});

test("an object that begins or ceases to match a selector is added or deleted", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, configMap("a"));
  const { next, sayNext } = await watch(server, "labelSelector=app%3Dweb");
  await server.call("PATCH", `${place}/a`, { metadata: { labels: { app: "web" } } }, "application/merge-patch+json");
  assert.equal(await sayNext(), "ADDED a");
  const { metadata } = await server.call(
    "PATCH",
    `${place}/a`,
    { metadata: { labels: { app: "db" } } },
    "application/merge-patch+json",
  );
  const left = await next();
  assert.equal(describe(left), "DELETED a");
  assert.deepEqual(left?.object.metadata.labels, { app: "web" });
  assert.equal(left?.object.metadata.resourceVersion, metadata.resourceVersion);
});

test("a revision that is forgotten is an ERROR event with 410", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, configMap("a"));
  for (let count = 0; count < 2500; count++) {
    await server.call("PATCH", `${place}/a`, { data: { k: String(count) } }, "application/merge-patch+json");
  }
  const { next } = await watch(server, "resourceVersion=2");
  const error = await next();
  assert.equal(error?.type, "ERROR");
  assert.equal(error?.object["code"], 410);
  assert.equal(error?.object["reason"], "Expired");
  assert.equal(await next(), undefined);
});

test("after ten minutes at most the past is forgotten, as after a compaction of etcd: watches, exact lists, pages", async () => {
  const clock = new FakeClock();
  await using server = await startInProcess({ clock });
  const minutes = (count: number) => clock.advance(count * 60_000);
  for (const name of ["a", "b"]) await server.call("POST", place, configMap(name));
  const list = await server.call("GET", `${place}?limit=1`);
  const version = list.metadata.resourceVersion ?? "";
  const page = `${place}?limit=1&continue=${(list.metadata as { continue?: string }).continue}`;
  await server.call("PATCH", `${place}/a`, { data: { k: "1" } }, "application/merge-patch+json");
  await minutes(9);
  const exact = `${place}?resourceVersion=${version}&resourceVersionMatch=Exact`;
  assert.equal((await server.raw("GET", exact)).status, 200);
  assert.equal((await server.raw("GET", page)).status, 200);
  const early = await watch(server, `resourceVersion=${version}`);
  assert.equal(await early.sayNext(), "MODIFIED a");
  await minutes(2);
  assert.equal((await server.raw("GET", exact)).status, 410);
  assert.equal((await server.raw("GET", page)).status, 410);
  const late = await (await watch(server, `resourceVersion=${version}`)).next();
  assert.deepEqual([late?.type, late?.object["code"]], ["ERROR", 410]);
  // Who has followed is not disturbed.
  await server.call("DELETE", `${place}/b`);
  assert.equal(await early.sayNext(), "DELETED b");
  early.stop();
});

test("initial events end with a bookmark", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, configMap("a"));
  const { next, sayNext } = await watch(
    server,
    "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
  );
  assert.equal(await sayNext(), "ADDED a");
  const bookmark = await next();
  assert.equal(bookmark?.type, "BOOKMARK");
  assert.deepEqual(bookmark?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
});

test("bookmarks come every minute, and the watch ends when its time is over", async () => {
  const clock = new FakeClock();
  await using server = await startInProcess({ clock });
  const { next, sayNext } = await watch(server, "timeoutSeconds=100&allowWatchBookmarks=true&resourceVersion=1");
  const first = next();
  await clock.advance(60_000);
  assert.equal(describe(await first), "BOOKMARK -");
  const second = sayNext();
  await clock.advance(60_000);
  assert.equal(await second, "end");
});

test("metadata only, for those who ask for it", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, { metadata: { name: "a" }, data: { k: "v" } });
  const { next } = await watch(server, "", {
    accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  });
  const event = await next();
  assert.equal(event?.object.kind, "PartialObjectMetadata");
  assert.equal(event?.object["data"], undefined);
});

test("watches end when the server closes", async () => {
  const server = await startInProcess();
  const { sayNext } = await watch(server, "resourceVersion=1");
  const end = sayNext();
  await server[Symbol.asyncDispose]();
  assert.equal(await end, "end");
});

test("a reader that does not take what it is sent is cut off when its place is overwritten", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, configMap("a"));
  const { body, cut } = await server.raw("GET", `${place}?watch=1`);
  const pieces = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await pieces.next();
  // Waits for what comes next, takes it, and no more after that.
  const next = pieces.next();
  for (let count = 0; count < 5000; count++) {
    await server.call("PATCH", `${place}/a`, { data: { k: String(count) } }, "application/merge-patch+json");
    if (cut?.aborted) break;
  }
  await next;
  assert.equal(cut?.aborted, true);
  assert.equal((await pieces.next()).done, true);
});
