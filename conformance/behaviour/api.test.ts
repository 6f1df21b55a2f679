import assert from "node:assert/strict";
import { type ConfigMap, type KubeObject, type WatchEvent } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, type Sketch, type Trial, refusal } from "../fact.ts";
import { collect } from "./collect.ts";
import { workload } from "./workload.ts";

const map = (name: string, data: Record<string, string> = {}, metadata: object = {}): Sketch => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});
const ref = (t: Trial, name?: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: t.namespace,
  ...(name ? { name } : {}),
});

const nameOf = ({ object }: WatchEvent) => object.metadata.name;

facts("writes", () => {
  fact("a second create is AlreadyExists, with kind and name in the details", async (t) => {
    await t.create(map("one"));
    const { status } = await refusal(t.create(map("one")));
    assert.deepEqual(
      [status.code, status.reason, status.message, status.details],
      [409, "AlreadyExists", 'configmaps "one" already exists', { name: "one", kind: "configmaps" }],
    );
  });

  fact("an update with an old resourceVersion is a Conflict; without one it wins", async (t) => {
    const first = await t.create<ConfigMap>(map("one", { a: "1" }));
    const second = await t.client.update({ ...first, data: { a: "2" } });
    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal((await refusal(t.client.update({ ...first, data: { a: "3" } }))).status.reason, "Conflict");
    const { resourceVersion: _, ...metadata } = first.metadata;
    assert.deepEqual((await t.client.update({ ...first, metadata, data: { a: "3" } })).data, { a: "3" });
  });

  fact("of many updates of one version exactly one wins", async (t) => {
    const first = await t.create<ConfigMap>(map("one"));
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => t.client.update({ ...first, data: { winner: String(index) } })),
    );
    assert.equal(answers.filter(({ status }) => status === "fulfilled").length, 1);
  });

  fact("an update that changes nothing leaves the resourceVersion", async (t) => {
    const first = await t.create<ConfigMap>(map("one", { a: "1" }));
    assert.equal((await t.client.update(first)).metadata.resourceVersion, first.metadata.resourceVersion);
  });

  fact("generation counts changes of the spec, not of labels or the status", async (t) => {
    const first = await t.create(workload("Deployment", "web", 0));
    assert.equal(first.metadata.generation, 1);
    await t.kubectl.run`label deployment web x=y`;
    assert.equal((await t.get("apps/v1", "Deployment", "web")).metadata.generation, 1);
    await t.kubectl.run`set env deployment/web A=1`;
    assert.equal((await t.get("apps/v1", "Deployment", "web")).metadata.generation, 2);
  });

  fact("an update of an object leaves its status, and of its status the object", async (t) => {
    const first = await t.create(workload("Deployment", "web", 0));
    const { resourceVersion: _, ...metadata } = first.metadata;
    const changed = { ...first, metadata, status: { replicas: 7 } };
    assert.equal(((await t.client.update(changed))["status"] as { replicas?: number }).replicas, undefined);
  });

  fact("uid, creationTimestamp and namespace are the server's", async (t) => {
    const made = await t.create(
      map("one", {}, { uid: "mine", creationTimestamp: "2001-01-01T00:00:00Z", generation: 7, selfLink: "x" }),
    );
    assert.match(made.metadata.uid ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(made.metadata.creationTimestamp, "2001-01-01T00:00:00Z");
    assert.equal(made.metadata.selfLink, undefined);
  });

  fact("a namespace in the body that is not that of the path is refused", async (t) => {
    const said = await t.kubectl.fed({ ...map("one"), metadata: { name: "one", namespace: "default" } })
      .refused`create -f -`;
    assert.match(
      said,
      /the namespace from the provided object "default" does not match the namespace ".*"\. You must pass '--namespace=default' to perform this operation\./,
    );
  });

  fact("names are checked, and the fault says what a name may be", async (t) => {
    const { status } = await refusal(t.create(map("Not Allowed")));
    assert.deepEqual([status.code, status.reason], [422, "Invalid"]);
    assert.match(
      status.message ?? "",
      /^ConfigMap "Not Allowed" is invalid: metadata\.name: Invalid value: "Not Allowed": a lowercase RFC 1123 subdomain must consist of/,
    );
    assert.deepEqual(
      status.details?.causes?.map(({ reason, field }) => [reason, field]),
      [["FieldValueInvalid", "metadata.name"]],
    );
  });

  fact("generateName gives names that differ", async (t) => {
    const made = await Promise.all(
      Array.from({ length: 10 }, () =>
        t.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "x-" } }),
      ),
    );
    assert.equal(new Set(made.map(({ metadata }) => metadata.name)).size, 10);
  });

  fact("dry run answers as if and keeps nothing", async (t) => {
    const one: KubeObject = { ...map("one"), metadata: { name: "one", namespace: t.namespace } };
    const made = await t.client.create(one, { dryRun: "All" });
    assert.ok(made.metadata.uid);
    assert.equal(await t.client.find(ref(t, "one")), undefined);
  });

  fact("fieldValidation decides what an unknown field is: refused, warned of or dropped", async (t) => {
    const object = {
      ...map("one"),
      metadata: { name: "one", namespace: t.namespace },
      unknown: 1,
    } as unknown as KubeObject;
    const said = await refusal(t.client.create(object, { fieldValidation: "Strict" }));
    assert.match(said.message, /strict decoding error: unknown field "unknown"/);
    const made = await t.client.create(object, { fieldValidation: "Ignore" });
    assert.equal(made["unknown"], undefined);
  });

  fact("a delete with another uid or version as precondition is a Conflict", async (t) => {
    await t.create(map("one"));
    const { status } = await refusal(t.client.delete(ref(t, "one"), { preconditions: { uid: "other" } }));
    assert.equal(status.reason, "Conflict");
    assert.match(
      status.message ?? "",
      /^Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition \(other\) does not match the UID in record \(\S+\)\./,
    );
  });

  fact("a finalizer keeps an object with a deletionTimestamp, and finalizers cannot be added then", async (t) => {
    await t.create(map("held", {}, { finalizers: ["example.org/a"] }));
    await t.client.delete(ref(t, "held"));
    const held = await t.get<ConfigMap>("v1", "ConfigMap", "held");
    assert.ok(held.metadata.deletionTimestamp);
    const adding = { ...held, metadata: { ...held.metadata, finalizers: ["example.org/a", "example.org/b"] } };
    assert.match(
      (await refusal(t.client.update(adding))).message,
      /metadata\.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"example\.org\/b"\}/,
    );
    await t.client.update({ ...held, metadata: { ...held.metadata, finalizers: [] } });
    assert.equal(await t.client.find(ref(t, "held")), undefined);
  });

  fact("what is owned goes with its owner, unless it is orphaned", async (t) => {
    const owner = await t.create(map("owner"));
    const other = await t.create(map("other"));
    const owned = (name: string, by: KubeObject) =>
      map(
        name,
        {},
        { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: by.metadata.name, uid: by.metadata.uid }] },
      );
    await t.create(owned("goes", owner), owned("stays", other));
    await t.client.delete(ref(t, "owner"), { propagationPolicy: "Background" });
    await t.client.delete(ref(t, "other"), { propagationPolicy: "Orphan" });
    await eventually(async () => (await t.client.find(ref(t, "goes"))) === undefined);
    await eventually(async () => !(await t.get("v1", "ConfigMap", "stays")).metadata.ownerReferences);
  });

  fact("foreground deletion waits for what blocks it", async (t) => {
    const owner = await t.create(map("owner"));
    await t.create(
      map(
        "owned",
        {},
        {
          finalizers: ["example.org/hold"],
          ownerReferences: [
            { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid, blockOwnerDeletion: true },
          ],
        },
      ),
    );
    await t.client.delete(ref(t, "owner"), { propagationPolicy: "Foreground" });
    await eventually(async () => (await t.get("v1", "ConfigMap", "owned")).metadata.deletionTimestamp);
    assert.deepEqual((await t.get("v1", "ConfigMap", "owner")).metadata.finalizers, ["foregroundDeletion"]);
    await t.client.patch(ref(t, "owned"), "merge", { metadata: { finalizers: null } });
    await eventually(async () => (await t.client.find(ref(t, "owner"))) === undefined);
  });

  fact("a collection is deleted by label", async (t) => {
    await t.create(map("a", {}, { labels: { x: "y" } }), map("b", {}, { labels: { x: "y" } }), map("c"));
    await t.client.delete(ref(t), { labelSelector: "x=y" });
    assert.deepEqual(
      (await t.list("v1", "ConfigMap"))
        .map(({ metadata }) => metadata.name)
        .filter((name) => name !== "kube-root-ca.crt"),
      ["c"],
    );
  });
});

facts("lists and watches", () => {
  fact("a list in pages is one state, whatever is written between", async (t) => {
    for (const name of ["a", "b", "c", "d"]) await t.create(map(name, {}, { labels: { page: "yes" } }));
    const list = async (query: string) =>
      JSON.parse(
        await t.kubectl.run`get --raw ${`/api/v1/namespaces/${t.namespace}/configmaps?labelSelector=page${query}`}`,
      ) as {
        metadata: { continue?: string; resourceVersion: string; remainingItemCount?: number };
        items: KubeObject[];
      };
    const first = await list("&limit=2");
    await t.create(map("bb", {}, { labels: { page: "yes" } }));
    await t.client.delete(ref(t, "c"));
    const second = await list(`&limit=2&continue=${encodeURIComponent(first.metadata.continue ?? "")}`);
    assert.deepEqual(
      [...first.items, ...second.items].map(({ metadata }) => metadata.name),
      ["a", "b", "c", "d"],
    );
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  fact("a watch from a version tells everything since, in order and once", async (t) => {
    const start = await t.create(map("start"));
    await t.create(map("one"));
    await t.client.patch(ref(t, "one"), "merge", { data: { a: "1" } });
    await t.client.delete(ref(t, "one"));
    const events = t.client.watch(ref(t), {
      resourceVersion: start.metadata.resourceVersion ?? "",
      fieldSelector: "metadata.name=one",
    });
    const seen = await collect(events, (all) => all.length === 3);
    assert.deepEqual(
      seen.map(({ type }) => type),
      ["ADDED", "MODIFIED", "DELETED"],
    );
    const versions = seen.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.ok(
      versions.every((version, index) => index === 0 || version > (versions[index - 1] ?? 0)),
      versions.join(),
    );
  });

  fact("a watch without a version begins with what is there", async (t) => {
    await t.create(map("one"), map("two"));
    const seen = await collect(
      t.client.watch(ref(t), { fieldSelector: "metadata.name!=kube-root-ca.crt" }),
      (all) => all.length === 2,
    );
    assert.deepEqual(seen.map(nameOf).sort(byText), ["one", "two"]);
    assert.ok(seen.every(({ type }) => type === "ADDED"));
  });

  fact("sendInitialEvents ends what is there with a bookmark that says so", async (t) => {
    await t.create(map("one"));
    const events = t.client.watch(ref(t), {
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersionMatch: "NotOlderThan",
      fieldSelector: "metadata.name=one",
    });
    const seen = await collect(events, (all) => all.at(-1)?.type === "BOOKMARK");
    assert.deepEqual(
      seen.map(({ type }) => type),
      ["ADDED", "BOOKMARK"],
    );
    const bookmark = seen[1]?.object;
    assert.equal(bookmark?.metadata.annotations?.["k8s.io/initial-events-end"], "true");
  });

  fact("with a label selector, what comes to match is ADDED and what no longer does is DELETED", async (t) => {
    const start = await t.create(map("one"));
    await t.kubectl.run`label cm one x=y`;
    await t.kubectl.run`label cm one more=z`;
    await t.kubectl.run`label cm one x-`;
    const seen = await collect(
      t.client.watch(ref(t), { labelSelector: "x=y", resourceVersion: start.metadata.resourceVersion ?? "" }),
      (all) => all.length === 3,
    );
    assert.deepEqual(
      seen.map(({ type }) => type),
      ["ADDED", "MODIFIED", "DELETED"],
    );
  });

  fact("timeoutSeconds ends a watch without an error", async (t) => {
    await t.create(map("one"));
    const seen = await collect(
      t.client.watch(ref(t), { timeoutSeconds: 1, fieldSelector: "metadata.name=one" }),
      () => false,
    );
    assert.deepEqual(seen.map(nameOf), ["one"]);
  });

  fact("a version of the future is refused until it comes; nonsense is Invalid", async (t) => {
    const said = await t.kubectl
      .refused`get --raw ${`/api/v1/namespaces/${t.namespace}/configmaps?resourceVersion=nonsense`}`;
    assert.match(said, /Invalid value: "nonsense"/);
  });

  fact("several watchers see the same", async (t) => {
    const start = await t.create(map("start"));
    const version = start.metadata.resourceVersion ?? "";
    const watchers = Array.from({ length: 10 }, () =>
      collect(t.client.watch(ref(t), { resourceVersion: version, labelSelector: "x" }), (all) => all.length === 20),
    );
    for (let index = 0; index < 20; index += 1) await t.create(map(`m-${index}`, {}, { labels: { x: "" } }));
    const [first, ...others] = (await Promise.all(watchers)).map((seen) => seen.map(nameOf));
    for (const other of others) assert.deepEqual(other, first);
  });
});

facts("namespaces", () => {
  fact("a namespace that ends takes everything with it, and refuses what is new", async (t) => {
    const name = `${t.namespace}-ends`;
    await t.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    await t.client.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "held", namespace: name, finalizers: ["example.org/hold"] },
    });
    await t.client.delete({ apiVersion: "v1", kind: "Namespace", name });
    await eventually(
      async () =>
        (await t.client.get({ apiVersion: "v1", kind: "ConfigMap", namespace: name, name: "held" })).metadata
          .deletionTimestamp,
      60_000,
    );
    const said = await refusal(
      t.client.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "new", namespace: name } }),
    );
    assert.match(
      said.message,
      /configmaps "new" is forbidden: unable to create new content in namespace .* because it is being terminated/,
    );
    await eventually(async () => {
      const { status } = (await t.client.get({ apiVersion: "v1", kind: "Namespace", name })) as unknown as {
        status: { phase: string; conditions?: { type: string; status: string }[] };
      };
      return (
        status.phase === "Terminating" &&
        status.conditions?.some(({ type, status }) => type === "NamespaceFinalizersRemaining" && status === "True")
      );
    });
    await t.client.patch({ apiVersion: "v1", kind: "ConfigMap", namespace: name, name: "held" }, "merge", {
      metadata: { finalizers: null },
    });
    await eventually(
      async () => (await t.client.find({ apiVersion: "v1", kind: "Namespace", name })) === undefined,
      60_000,
    );
  });

  fact("default, kube-system and kube-public cannot be deleted", async (t) => {
    for (const name of ["default", "kube-system", "kube-public"]) {
      assert.match(
        await t.kubectl.refused`delete namespace ${name}`,
        new RegExp(`namespaces "${name}" is forbidden: this namespace may not be deleted`),
      );
    }
  });

  fact("a namespace carries its own name as a label, and has a service account default", async (t) => {
    const found = await t.client.get({ apiVersion: "v1", kind: "Namespace", name: t.namespace });
    assert.equal(found.metadata.labels?.["kubernetes.io/metadata.name"], t.namespace);
    await t.get("v1", "ServiceAccount", "default");
  });
});
