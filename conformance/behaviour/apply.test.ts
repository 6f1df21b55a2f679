import assert from "node:assert/strict";
import { type ConfigMap, type Deployment, isStatusError, type KubeObject } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, refusal, type Sketch, type Trial } from "../fact.ts";
import { collect } from "./collect.ts";
import { workload } from "./workload.ts";

const map = (name: string, data: Record<string, string> = {}, metadata: object = {}): Sketch => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});
const ref = (t: Trial, name: string, kind = "ConfigMap") => ({
  apiVersion: kind === "ConfigMap" ? "v1" : "apps/v1",
  kind,
  namespace: t.namespace,
  name,
});
/** Server-side apply as somebody. */
const apply = <T extends KubeObject>(
  t: Trial,
  fieldManager: string,
  sketch: Sketch,
  more: { force?: boolean; dryRun?: "All" } = {},
) =>
  t.client.apply(
    { ...sketch, metadata: { namespace: t.namespace, ...sketch.metadata } },
    { fieldManager, ...more },
  ) as Promise<T>;
const dataOf = async (t: Trial, name: string) => (await t.client.get<ConfigMap>(ref(t, name))).data;
const managers = (object: KubeObject) =>
  (object.metadata.managedFields ?? []).map(({ manager, operation, subresource }) =>
    [manager, operation, ...(subresource ? [subresource] : [])].join(" "),
  );
const never = { pod: { nodeSelector: { "example.org/none": "such" } } };

facts("server-side apply", () => {
  fact("apply creates what is not there, and again changes nothing", async (t) => {
    const first = await apply(t, "a", map("one", { x: "1" }));
    const again = await apply(t, "a", map("one", { x: "1" }));
    assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.deepEqual(managers(again), ["a Apply"]);
    assert.deepEqual(again.metadata.managedFields?.[0]?.fieldsV1, { "f:data": { "f:x": {} } });
  });

  fact("a field that another manager set otherwise is a conflict, which names both; force takes it", async (t) => {
    await apply(t, "a", map("one", { x: "1", y: "1" }));
    const error = await refusal(apply(t, "b", map("one", { x: "2", y: "2" })));
    assert.deepEqual(
      [error.status.code, error.status.reason, error.message],
      [409, "Conflict", 'Apply failed with 2 conflicts: conflicts with "a":\n- .data.x\n- .data.y'],
    );
    assert.deepEqual(error.status.details?.causes, [
      { reason: "FieldManagerConflict", message: 'conflict with "a"', field: ".data.x" },
      { reason: "FieldManagerConflict", message: 'conflict with "a"', field: ".data.y" },
    ]);
    await apply(t, "b", map("one", { x: "2" }), { force: true });
    assert.deepEqual(await dataOf(t, "one"), { x: "2", y: "1" });
    const back = await refusal(apply(t, "a", map("one", { x: "1", y: "1" })));
    assert.match(back.message, /^Apply failed with 1 conflict: conflict with "b": \.data\.x$/);
  });

  fact("what nobody applies any more goes away, unless somebody else has it", async (t) => {
    await apply(t, "a", map("one", { x: "1", y: "1" }));
    await apply(t, "b", map("one", { y: "1" }));
    await apply(t, "a", map("one", {}));
    assert.deepEqual(await dataOf(t, "one"), { y: "1" });
  });

  fact("an update is owned by its manager too, and conflicts with who applied", async (t) => {
    await apply(t, "a", map("one", { x: "1" }));
    await t.client.patch(ref(t, "one"), "merge", { data: { x: "2" } }, { fieldManager: "editor" });
    const error = await refusal(apply(t, "a", map("one", { x: "1" })));
    assert.match(
      error.message,
      /^Apply failed with 1 conflict: conflict with "editor" using v1(?: at \S+)?: \.data\.x$/,
    );
    const object = await t.client.get(ref(t, "one"));
    assert.deepEqual(managers(object), ["editor Update"]);
  });

  fact("lists of things with names are merged by these, each item with owners of its own", async (t) => {
    const container = (name: string) => ({ name, image: "busybox:1.37" });
    const web = (containers: object[]) => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { ...never.pod, containers } },
      },
    });
    await apply(t, "a", web([container("main")]));
    await apply(t, "b", web([container("side")]));
    const names = async () =>
      (await t.client.get<Deployment>(ref(t, "web", "Deployment"))).spec?.template.spec?.containers.map(
        ({ name }) => name,
      );
    assert.deepEqual(await names(), ["main", "side"]);
    await apply(t, "a", {
      ...web([]),
      spec: { selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } } } },
    });
    assert.deepEqual(await names(), ["side"]);
  });

  fact("an apply without a manager is refused, and one with fields of the server's", async (t) => {
    const send = (query: string, body: object) =>
      t.client.raw({
        method: "PATCH",
        path: `/api/v1/namespaces/${t.namespace}/configmaps/one${query}`,
        headers: { "content-type": "application/apply-patch+yaml", accept: "application/json" },
        body: JSON.stringify({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "one", namespace: t.namespace },
          ...body,
        }),
      });
    assert.equal((await send("", {})).status, 422);
    const managed = { metadata: { name: "one", namespace: t.namespace, managedFields: [{ manager: "x" }] } };
    assert.equal((await send("?fieldManager=a", managed)).status, 400);
    assert.equal((await send("?fieldManager=a", {})).status, 201);
  });

  fact("a dry run of an apply tells of conflicts, and keeps nothing", async (t) => {
    await apply(t, "a", map("one", { x: "1" }));
    assert.equal((await refusal(apply(t, "b", map("one", { x: "2" }), { dryRun: "All" }))).status.reason, "Conflict");
    await apply(t, "b", map("one", { z: "3" }), { dryRun: "All" });
    assert.deepEqual(await dataOf(t, "one"), { x: "1" });
  });

  fact("a status has owners of its own", async (t) => {
    await t.create(workload("Deployment", "web", 0, never));
    const found = await eventually(async () => {
      const object = await t.client.get(ref(t, "web", "Deployment"));
      return managers(object).some((manager) => manager.endsWith("Update status")) ? object : undefined;
    });
    assert.equal(managers(found).length, 2);
  });
});

facts("patches", () => {
  const patched = (t: Trial, name: string, type: "json" | "merge" | "strategic", body: unknown, kind = "ConfigMap") =>
    t.client.patch(ref(t, name, kind), type, body);

  fact("a JSON patch does all of its operations or none, and test makes it conditional", async (t) => {
    await t.create(map("one", { x: "1" }));
    const failed = await refusal(
      patched(t, "one", "json", [
        { op: "add", path: "/data/y", value: "2" },
        { op: "test", path: "/data/x", value: "9" },
      ]),
    );
    assert.deepEqual([failed.status.code, failed.status.reason], [422, "Invalid"]);
    assert.deepEqual(await dataOf(t, "one"), { x: "1" });
    await patched(t, "one", "json", [
      { op: "test", path: "/data/x", value: "1" },
      { op: "copy", from: "/data/x", path: "/data/y" },
      { op: "move", from: "/data/x", path: "/data/a~1b" },
    ]).catch((error: unknown) => assert.ok(isStatusError(error, "Invalid")));
    await patched(t, "one", "json", [{ op: "replace", path: "/data/x", value: "2" }]);
    assert.equal((await dataOf(t, "one"))?.["x"], "2");
  });

  fact("a merge patch removes with null and replaces lists", async (t) => {
    await t.create(map("one", { x: "1", y: "1" }, { labels: { a: "b" } }));
    await patched(t, "one", "merge", { data: { x: null, z: "3" }, metadata: { labels: null } });
    const { data, metadata } = await t.client.get<ConfigMap>(ref(t, "one"));
    assert.deepEqual([data, metadata.labels], [{ y: "1", z: "3" }, undefined]);
  });

  fact("a strategic patch merges by name, and its directives delete and replace", async (t) => {
    await t.create(workload("Deployment", "web", 0, { ...never, container: { env: [{ name: "A", value: "1" }] } }));
    const containers = (list: object[]) => ({ spec: { template: { spec: { containers: list } } } });
    const found = async () =>
      (await t.client.get<Deployment>(ref(t, "web", "Deployment"))).spec?.template.spec?.containers ?? [];
    await patched(
      t,
      "web",
      "strategic",
      containers([
        { name: "main", env: [{ name: "B", value: "2" }] },
        { name: "side", image: "busybox:1.37" },
      ]),
      "Deployment",
    );
    assert.deepEqual(
      (await found()).map(({ name, env }) => [name, (env ?? []).map((one) => one.name)]),
      [
        ["main", ["B", "A"]],
        ["side", []],
      ],
    );
    await patched(
      t,
      "web",
      "strategic",
      containers([
        { name: "side", $patch: "delete" },
        { name: "main", env: [{ $patch: "replace" }, { name: "C", value: "3" }] },
      ]),
      "Deployment",
    );
    assert.deepEqual(
      (await found()).map(({ name, env }) => [name, (env ?? []).map((one) => one.name)]),
      [["main", ["C"]]],
    );
  });

  fact("a patch with a resourceVersion is refused when somebody wrote since", async (t) => {
    const { metadata } = await t.create(map("one"));
    await patched(t, "one", "merge", { data: { x: "1" } });
    const { resourceVersion } = metadata;
    assert.equal(
      (await refusal(patched(t, "one", "merge", { metadata: { resourceVersion }, data: { x: "2" } }))).status.reason,
      "Conflict",
    );
  });

  fact("a patch cannot change who an object is", async (t) => {
    await t.create(map("one"));
    const said = async (body: object) => (await refusal(patched(t, "one", "merge", body))).status;
    const codes = [{ metadata: { name: "two" } }, { metadata: { uid: "u" } }, { kind: "Secret" }].map(
      async (body) => (await said(body)).code,
    );
    assert.deepEqual(await Promise.all(codes), [400, 422, 422]);
  });

  fact("a kind of patch that there is not is an unsupported media type", async (t) => {
    await t.create(map("one"));
    const { status } = await t.client.raw({
      method: "PATCH",
      path: `/api/v1/namespaces/${t.namespace}/configmaps/one`,
      headers: { "content-type": "application/json", accept: "application/json" },
      body: "{}",
    });
    assert.equal(status, 415);
  });
});

facts("watches that go on", () => {
  const all = (t: Trial) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: t.namespace });

  fact("a watch that was cut goes on from the last version that it saw, without a gap", async (t) => {
    const start = await t.create(map("m-0", {}, { labels: { x: "" } }));
    const seen: string[] = [];
    let resourceVersion = start.metadata.resourceVersion ?? "";
    const writing = (async () => {
      for (let index = 1; index <= 12; index += 1) await t.create(map(`m-${index}`, {}, { labels: { x: "" } }));
    })();
    while (seen.length < 12) {
      const events = t.client.watch(all(t), { resourceVersion, labelSelector: "x", timeoutSeconds: 20 });
      for (const { object } of await collect(events, (few) => few.length === 3)) {
        seen.push(object.metadata.name ?? "");
        resourceVersion = object.metadata.resourceVersion ?? "";
      }
    }
    await writing;
    assert.deepEqual(
      seen,
      Array.from({ length: 12 }, (_, index) => `m-${index + 1}`),
    );
  });

  fact("a page token that is none is refused", async (t) => {
    const said = await t.kubectl
      .refused`get --raw ${`/api/v1/namespaces/${t.namespace}/configmaps?limit=1&continue=nonsense`}`;
    assert.match(said, /continue key is not valid/);
  });

  fact("one object is watched by its name, and its deletion carries its last state", async (t) => {
    await t.create(map("one", { x: "1" }), map("two"));
    const watching = collect(
      t.client.watch(all(t), { fieldSelector: "metadata.name=one" }),
      (seen) => seen.at(-1)?.type === "DELETED",
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await t.client.delete(ref(t, "one"));
    const seen = await watching;
    assert.deepEqual(
      seen.map(({ type }) => type),
      ["ADDED", "DELETED"],
    );
    const last = seen[1]?.object as ConfigMap;
    assert.deepEqual(last.data, { x: "1" });
    assert.ok(Number(last.metadata.resourceVersion) > Number(seen[0]?.object.metadata.resourceVersion));
  });

  fact("lists with resourceVersion 0 and with an exact version agree with what was there", async (t) => {
    const { metadata } = await t.create(map("one"));
    await t.create(map("two"));
    const names = async (query: string) =>
      (
        (
          JSON.parse(await t.kubectl.run`get --raw ${`/api/v1/namespaces/${t.namespace}/configmaps?${query}`}`) as {
            items: KubeObject[];
          }
        ).items ?? []
      )
        .map((one) => one.metadata.name)
        .filter((name) => name !== "kube-root-ca.crt");
    assert.deepEqual(await names(`resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`), ["one"]);
    assert.deepEqual(await names(`resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=NotOlderThan`), [
      "one",
      "two",
    ]);
    await eventually(async () => (await names("resourceVersion=0")).join() === "one,two");
  });
});
