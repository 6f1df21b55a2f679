import assert from "node:assert/strict";
import { test } from "node:test";
import { isStatusError, type KubeObject, startInformer, StatusError } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { realNamespace, skip } from "../real-cluster.ts";
import { answer, configMap, smallServer } from "./small-server.ts";

test("an answer that is no Status becomes a StatusError all the same", async () => {
  await using server = await smallServer();
  const got = server.client.get({ apiVersion: "v1", kind: "Pod", namespace: "a", name: "b" });
  const exchange = await server.next();
  exchange.response.writeHead(503, { "retry-after": "3" }).end("no backend");
  await assert.rejects(got, (error) => {
    assert.ok(error instanceof StatusError);
    assert.deepEqual([error.code, error.reason, error.message], [503, "ServiceUnavailable", "no backend"]);
    assert.equal(error.status.details?.retryAfterSeconds, 3);
    return true;
  });
  assert.deepEqual(server.seen, ["GET /api/v1/namespaces/a/pods/b"]);
});

test("finds custom kinds by asking once", async () => {
  await using server = await smallServer();
  const ref = { apiVersion: "example.org/v1", kind: "Boat", namespace: "a" };
  const got = Promise.all([server.client.get({ ...ref, name: "x" }), server.client.get({ ...ref, name: "y" })]);
  const discovery = await server.next();
  answer(discovery, {
    resources: [
      { name: "boats/status", kind: "Boat" },
      { name: "boats", kind: "Boat", namespaced: true },
    ],
  });
  for (let count = 0; count < 2; count += 1) answer(await server.next(), configMap("x", 1));
  await got;
  assert.deepEqual(server.seen, [
    "GET /apis/example.org/v1",
    "GET /apis/example.org/v1/namespaces/a/boats/x",
    "GET /apis/example.org/v1/namespaces/a/boats/y",
  ]);
});

test("names patches, subresources and options as the API does", async () => {
  await using server = await smallServer();
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "a", name: "b" };
  const patched = server.client.patch(ref, "strategic", { spec: {} }, { subresource: "status", fieldManager: "me" });
  const exchange = await server.next();
  assert.equal(exchange.request.headers["content-type"], "application/strategic-merge-patch+json");
  answer(exchange, {});
  await patched;
  const applied = server.client.apply({ ...configMap("c", 1) }, { fieldManager: "me", force: true });
  const second = await server.next();
  assert.equal(second.request.headers["content-type"], "application/apply-patch+yaml");
  answer(second, {});
  await applied;
  assert.deepEqual(server.seen, [
    "PATCH /apis/apps/v1/namespaces/a/deployments/b/status?fieldManager=me",
    "PATCH /api/v1/namespaces/default/configmaps/c?fieldManager=me&force=true",
  ]);
});

test("works against a real API server", { skip }, async () => {
  await using real = await realNamespace();
  const { client, namespace } = real;
  const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "a" };
  const abort = new AbortController();
  const informer = startInformer(client, { apiVersion: "v1", kind: "ConfigMap", namespace }, { signal: abort.signal });
  await informer.synced;
  const created: KubeObject = await client.create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace },
    data: { x: "1" },
  });
  assert.ok(created.metadata.uid);
  await assert.rejects(client.create(created), (error) => isStatusError(error));
  await assert.rejects(client.create({ ...created, metadata: { name: "a", namespace } }), (error) =>
    isStatusError(error, "AlreadyExists"),
  );
  const updated = await client.update({ ...created, data: { x: "2" } });
  await assert.rejects(client.update({ ...created, data: { x: "3" } }), (error) => isStatusError(error, "Conflict"));
  await client.patch(ref, "merge", { data: { y: "1" } });
  await client.patch(ref, "json", [{ op: "remove", path: "/data/x" }]);
  await client.apply(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace }, data: { z: "1" } },
    { fieldManager: "test" },
  );
  assert.deepEqual((await client.get(ref))["data"], { y: "1", z: "1" });
  assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
  await eventually(() => (informer.get(namespace, "a")?.["data"] as Record<string, string>)?.["z"] === "1");
  await client.delete(ref);
  assert.equal(await client.find(ref), undefined);
  await eventually(() => informer.get(namespace, "a") === undefined);
  abort.abort();
  await informer.ended;
});

test("reads a real collection in pages and watches it", { skip }, async () => {
  await using real = await realNamespace();
  const { client, namespace } = real;
  const collection = { apiVersion: "v1", kind: "Secret", namespace };
  for (let count = 0; count < 5; count += 1) {
    await client.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `s${count}`, namespace, labels: { odd: String(count % 2) } },
    });
  }
  const list = await client.list(collection, { limit: 2 });
  assert.deepEqual(
    list.items.map((item) => `${item.kind} ${item.metadata.name}`),
    [0, 1, 2, 3, 4].map((count) => `Secret s${count}`),
  );
  assert.equal((await client.list(collection, { labelSelector: "odd=1" })).items.length, 2);
  const seen: string[] = [];
  for await (const event of client.watch(collection, { labelSelector: "odd=1" })) {
    seen.push(`${event.type} ${event.object.metadata.name}`);
    if (seen.length === 2) break;
  }
  assert.deepEqual(seen, ["ADDED s1", "ADDED s3"]);
});
