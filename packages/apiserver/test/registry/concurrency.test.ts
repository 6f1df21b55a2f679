import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@dhow/kube";
import { startInProcess } from "../in-process.ts";

const place = "/api/v1/namespaces/default/configmaps";

interface List {
  readonly metadata: { readonly continue?: string; readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}

test("patches without a revision never conflict, and none is lost", async () => {
  await using server = await startInProcess();
  await server.call("POST", place, { metadata: { name: "a" } });
  const numbers = Array.from({ length: 40 }, (_, number) => String(number));
  await Promise.all(
    numbers.map((number) =>
      server.call("PATCH", `${place}/a`, { data: { [number]: number } }, "application/merge-patch+json"),
    ),
  );
  const { data } = await server.call<KubeObject & { data: object }>("GET", `${place}/a`);
  assert.deepEqual(Object.keys(data).sort(), [...numbers].sort());
});

test("of updates from one revision exactly one succeeds", async () => {
  await using server = await startInProcess();
  const object = await server.call("POST", place, { metadata: { name: "a" } });
  const results = await Promise.allSettled(
    ["1", "2", "3"].map((value) => server.call("PUT", `${place}/a`, { ...object, data: { value } })),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
});

test("of creations of one name exactly one succeeds", async () => {
  await using server = await startInProcess();
  const results = await Promise.allSettled(
    ["1", "2", "3"].map((value) => server.call("POST", place, { metadata: { name: "a" }, data: { value } })),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
});

test("pages show one revision, whatever is written meanwhile", async () => {
  await using server = await startInProcess();
  for (const name of ["a", "b", "c", "d"]) await server.call("POST", place, { metadata: { name } });
  const first = await server.call<List>("GET", `${place}?limit=2`);
  await server.call("DELETE", `${place}/c`);
  await server.call("POST", place, { metadata: { name: "bb" } });
  const second = await server.call<List>("GET", `${place}?limit=2&continue=${first.metadata.continue}`);
  const names = [...first.items, ...second.items].map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["a", "b", "c", "d"]);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(second.metadata.continue, undefined);
});

test("a namespace goes when its finalizers are gone", async () => {
  await using server = await startInProcess();
  await server.call("POST", "/api/v1/namespaces", { metadata: { name: "n" } });
  const deleted = await server.call<KubeObject & { status: { phase: string } }>("DELETE", "/api/v1/namespaces/n");
  assert.equal(deleted.status.phase, "Terminating");
  const refused = await server.raw("POST", "/api/v1/namespaces/n/configmaps", { body: '{"metadata":{"name":"x"}}' });
  assert.equal(refused.status, 403);
  const { metadata } = await server.call("GET", "/api/v1/namespaces/n");
  await server.call("PUT", "/api/v1/namespaces/n/finalize", { metadata, spec: { finalizers: [] } });
  assert.equal((await server.raw("GET", "/api/v1/namespaces/n")).status, 404);
});

test("a pod on a node is given time, and a second deletion may shorten it", async () => {
  await using server = await startInProcess();
  await server.call("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  const pods = "/api/v1/namespaces/default/pods";
  const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
  await server.call("POST", pods, { metadata: { name: "p" }, spec });
  const first = await server.call("DELETE", `${pods}/p`);
  assert.equal(first.metadata.deletionGracePeriodSeconds, 30);
  const longer = await server.call("DELETE", `${pods}/p`, { gracePeriodSeconds: 60 });
  assert.equal(longer.metadata.deletionGracePeriodSeconds, 30);
  const shorter = await server.call("DELETE", `${pods}/p`, { gracePeriodSeconds: 5 });
  assert.equal(shorter.metadata.deletionGracePeriodSeconds, 5);
  await server.call("DELETE", `${pods}/p`, { gracePeriodSeconds: 0 });
  assert.equal((await server.raw("GET", `${pods}/p`)).status, 404);
});
