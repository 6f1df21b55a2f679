import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, Pod, ReplicaSet } from "@dhow/kube";
import { startInformer } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { deployment, holds, sorted, startWorld, type World } from "./world.ts";

const complete = (world: World, name: string, image?: string) =>
  eventually(async () => {
    const found = await world.get<Deployment>("apps/v1", "Deployment", name);
    const { spec, status, metadata } = found;
    const wanted = spec.replicas ?? 1;
    const done =
      status?.observedGeneration === metadata.generation &&
      (status?.updatedReplicas ?? 0) === wanted &&
      (status?.replicas ?? 0) === wanted &&
      (status?.availableReplicas ?? 0) === wanted;
    assert.ok(done, JSON.stringify(status));
    if (image) assert.equal(spec.template.spec?.containers[0]?.image, image);
    return found;
  });

const setImage = (world: World, name: string, image: string) =>
  world.client.patch({ apiVersion: "apps/v1", kind: "Deployment", namespace: "t", name }, "strategic", {
    spec: { template: { spec: { containers: [{ name: "c", image }] } } },
  });

test("a rollout keeps to its surge and its availability at every moment, and tells of each step", async () => {
  await using world = await startWorld();
  await world.apply(deployment("web", 10));
  await complete(world, "web");
  const end = new AbortController();
  const pods = startInformer<Pod>(
    world.client,
    { apiVersion: "v1", kind: "Pod", namespace: "t" },
    { signal: end.signal },
  );
  await pods.synced;
  const ready = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  let most = 0;
  let least = 10;
  pods.onChange(() => {
    const alive = pods.list().filter((pod) => !pod.metadata.deletionTimestamp);
    most = Math.max(most, alive.length);
    least = Math.min(least, alive.filter(ready).length);
  });
  await setImage(world, "web", "x:2");
  const done = await complete(world, "web", "x:2");
  end.abort();
  assert.ok(most <= 13, `${most} pods at once`);
  assert.ok(least >= 8, `${least} pods available`);
  assert.equal(done.metadata.annotations?.["deployment.kubernetes.io/revision"], "2");
  const events = await world.events("web");
  assert.match(events[0] ?? "", /^ScalingReplicaSet: Scaled up replica set web-\w+ from 0 to 10$/);
  assert.ok(
    events.some((text) => /Scaled down replica set web-\w+ from \d+ to 0$/.test(text)),
    events.join("\n"),
  );
});

test("a rollback takes the old ReplicaSet again and gives it a new number", async () => {
  await using world = await startWorld();
  await world.apply(deployment("web", 2));
  await complete(world, "web");
  await setImage(world, "web", "x:2");
  await complete(world, "web", "x:2");
  await setImage(world, "web", "x:1");
  await complete(world, "web", "x:1");
  await holds(async () => {
    const sets = await world.list<ReplicaSet>("apps/v1", "ReplicaSet");
    const revisions = sorted(sets.map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]));
    assert.deepEqual(revisions, ["2", "3"]);
    const first = sets.find(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"] === "3");
    assert.equal(first?.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
  });
});

test("a paused Deployment is scaled, but rolls out nothing", async () => {
  await using world = await startWorld();
  await world.apply(deployment("web", 2));
  await complete(world, "web");
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "t", name: "web" };
  await world.client.patch(ref, "merge", { spec: { paused: true, replicas: 4 } });
  await setImage(world, "web", "x:2");
  await holds(async () => {
    const { status } = await world.get<Deployment>("apps/v1", "Deployment", "web");
    assert.equal(status?.availableReplicas, 4);
    assert.ok(status?.conditions?.some(({ reason }) => reason === "DeploymentPaused"));
  });
  assert.equal((await world.list("apps/v1", "ReplicaSet")).length, 1);
  await world.client.patch(ref, "merge", { spec: { paused: false } });
  await complete(world, "web", "x:2");
});

test("a rollout that gets nowhere says so after its deadline, and recovers", async () => {
  await using world = await startWorld({
    outcome: (pod) => (pod.spec.containers[0]?.image === "x:bad" ? "running" : "ready"),
  });
  await world.apply(deployment("web", 3, { progressDeadlineSeconds: 1 }));
  await complete(world, "web");
  await setImage(world, "web", "x:bad");
  await holds(async () => {
    const { status } = await world.get<Deployment>("apps/v1", "Deployment", "web");
    const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
    assert.equal(progressing?.reason, "ProgressDeadlineExceeded");
    assert.match(progressing?.message ?? "", /^ReplicaSet "web-\w+" has timed out progressing\.$/);
    assert.ok((status?.availableReplicas ?? 0) >= 3, "the old pods go on serving");
  });
  await setImage(world, "web", "x:3");
  await complete(world, "web", "x:3");
});

test("Recreate ends everything old before anything new begins, and old revisions beyond the limit go", async () => {
  await using world = await startWorld();
  await world.apply(deployment("web", 3, { strategy: { type: "Recreate" }, revisionHistoryLimit: 1 }));
  await complete(world, "web");
  const end = new AbortController();
  const pods = startInformer<Pod>(
    world.client,
    { apiVersion: "v1", kind: "Pod", namespace: "t" },
    { signal: end.signal },
  );
  await pods.synced;
  let mixed = false;
  pods.onChange(() => {
    mixed ||= new Set(pods.list().map((pod) => pod.spec.containers[0]?.image)).size > 1;
  });
  for (const image of ["x:2", "x:3", "x:4"]) {
    await setImage(world, "web", image);
    await complete(world, "web", image);
  }
  end.abort();
  assert.equal(mixed, false, "old and new pods were there at the same time");
  await holds(async () => assert.equal((await world.list("apps/v1", "ReplicaSet")).length, 2));
});

test("pods that match are adopted, and released when they do not match any more", async () => {
  await using world = await startWorld();
  const spec = { containers: [{ name: "c", image: "x:1" }] };
  await world.apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "loose", labels: { app: "set" } }, spec });
  await world.apply({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "set" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "set" } },
      template: { metadata: { labels: { app: "set" } }, spec },
    },
  });
  await holds(async () => {
    const pods = await world.pods({ app: "set" });
    assert.equal(pods.length, 2);
    assert.ok(pods.every(({ metadata }) => metadata.ownerReferences?.[0]?.name === "set"));
  });
  await world.client.patch({ apiVersion: "v1", kind: "Pod", namespace: "t", name: "loose" }, "merge", {
    metadata: { labels: { app: "free" } },
  });
  await holds(async () => {
    const loose = await world.get<Pod>("v1", "Pod", "loose");
    assert.equal(loose.metadata.ownerReferences ?? "none", "none");
    assert.equal((await world.pods({ app: "set" })).length, 2);
  });
});
