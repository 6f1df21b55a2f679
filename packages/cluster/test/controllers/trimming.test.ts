// What Kubernetes takes away by itself, at the time at which it does so.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerRevision, Event, Job, StatefulSet } from "@dhow/kube";
import { FakeClock } from "@dhow/testkit";
import { holds, sorted, startWorld, template, type World } from "./world.ts";

const minute = 60_000;
const at = (clock: FakeClock) => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;

test("an Event goes an hour after it last happened", async () => {
  const clock = new FakeClock();
  await using world = await startWorld({ clock, only: ["event-ttl"] });
  const involvedObject = { kind: "Pod", name: "p", namespace: "t" };
  for (const name of ["once", "again"]) {
    await world.apply({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name },
      involvedObject,
      lastTimestamp: at(clock),
    });
  }
  const names = async () => sorted((await world.list<Event>("v1", "Event")).map(({ metadata }) => metadata.name));
  await clock.advance(50 * minute);
  const ref = { apiVersion: "v1", kind: "Event", namespace: "t", name: "again" };
  await world.client.patch(ref, "merge", { count: 2, lastTimestamp: at(clock) });
  await clock.advance(9 * minute);
  assert.deepEqual(await names(), ["again", "once"]);
  await clock.advance(3 * minute);
  await holds(async () => assert.deepEqual(await names(), ["again"]));
  await clock.advance(46 * minute);
  assert.deepEqual(await names(), ["again"]);
  await clock.advance(4 * minute);
  await holds(async () => assert.deepEqual(await names(), []));
});

test("of more ended pods than the threshold the oldest go", async () => {
  const clock = new FakeClock();
  const options = { clock, only: ["pod-garbage-collector"], terminatedPodThreshold: 3, kubelet: false };
  await using world = await startWorld(options);
  for (const name of ["p1", "p2", "p3", "p4", "p5", "runs"]) {
    await world.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: { nodeName: "n1", containers: [{ name: "c", image: "x:1" }] },
    });
    const phase = name === "runs" ? "Running" : name === "p2" ? "Failed" : "Succeeded";
    const ref = { apiVersion: "v1", kind: "Pod", namespace: "t", name };
    await world.client.patch(ref, "merge", { status: { phase } }, { subresource: "status" });
    await clock.advance(1000);
  }
  await clock.advance(25_000);
  await holds(async () =>
    assert.deepEqual(sorted((await world.pods()).map(({ metadata }) => metadata.name)), ["p3", "p4", "p5", "runs"]),
  );
});

/** A Job that has ended, of a CronJob or of nobody. */
async function endedJob(world: World, clock: FakeClock, name: string, type: "Complete" | "Failed", more: object = {}) {
  const { ownerReferences, ...spec } = more as { ownerReferences?: object[] };
  await world.apply({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, ...(ownerReferences && { ownerReferences }) },
    spec: { ...spec, template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x:1" }] } } },
  });
  const reason = type === "Complete" ? "CompletionsReached" : "BackoffLimitExceeded";
  const since = { status: "True", reason, message: "", lastProbeTime: at(clock), lastTransitionTime: at(clock) };
  const before = type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
  const conditions = [
    { type: before, ...since },
    { type, ...since },
  ];
  const ends = type === "Complete" ? { succeeded: 1, completionTime: at(clock) } : { failed: 1 };
  const ref = { apiVersion: "batch/v1", kind: "Job", namespace: "t", name };
  const uncountedTerminatedPods = {};
  const status = { startTime: at(clock), conditions, uncountedTerminatedPods, ...ends };
  await world.client.patch(ref, "merge", { status }, { subresource: "status" });
}

test("of a CronJob's ended Jobs the last three that succeeded and the last that failed are kept", async () => {
  const clock = new FakeClock();
  await using world = await startWorld({ clock, only: ["cronjob"] });
  const jobTemplate = {
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x:1" }] } } },
  };
  await world.apply({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "nightly" },
    spec: { schedule: "0 3 * * *", suspend: true, jobTemplate },
  });
  const { metadata } = await world.get("batch/v1", "CronJob", "nightly");
  const owner = { apiVersion: "batch/v1", kind: "CronJob", name: "nightly", uid: metadata.uid, controller: true };
  for (let run = 1; run <= 8; run++) {
    await endedJob(world, clock, `nightly-${run}`, run % 3 === 0 ? "Failed" : "Complete", { ownerReferences: [owner] });
    await clock.advance(minute);
  }
  await holds(async () => {
    const names = (await world.list<Job>("batch/v1", "Job")).map((job) => job.metadata.name);
    assert.deepEqual(sorted(names), ["nightly-5", "nightly-6", "nightly-7", "nightly-8"]);
  });
});

test("an ended Job goes when its time to live is over, and stays where it has none", async () => {
  const clock = new FakeClock();
  await using world = await startWorld({ clock, only: ["ttl-after-finished", "garbage-collector"] });
  await endedJob(world, clock, "brief", "Complete", { ttlSecondsAfterFinished: 100 });
  await endedJob(world, clock, "kept", "Failed");
  const names = async () => sorted((await world.list<Job>("batch/v1", "Job")).map((job) => job.metadata.name));
  await clock.advance(95_000);
  assert.deepEqual(await names(), ["brief", "kept"]);
  await holds(async () => {
    await clock.advance(2_000);
    assert.deepEqual(await names(), ["kept"]);
  });
  assert.ok(clock.now() - new FakeClock().now() >= 100_000);
});

test("old ControllerRevisions beyond the limit go, the oldest first", async () => {
  await using world = await startWorld({ only: ["statefulset"] });
  await world.apply({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db" },
    spec: { replicas: 0, serviceName: "db", revisionHistoryLimit: 2, ...template("db") },
  });
  const ref = { apiVersion: "apps/v1", kind: "StatefulSet", namespace: "t", name: "db" };
  for (let change = 1; change <= 6; change++) {
    await world.client.patch(ref, "merge", {
      spec: { template: { metadata: { annotations: { change: `${change}` } } } },
    });
    await holds(async () => {
      const set = await world.get<StatefulSet>("apps/v1", "StatefulSet", "db");
      assert.equal(set.status?.observedGeneration, set.metadata.generation);
    });
  }
  await holds(async () => {
    const revisions = await world.list<ControllerRevision>("apps/v1", "ControllerRevision");
    assert.deepEqual(
      revisions.map(({ revision }) => revision).sort((a, b) => a - b),
      [5, 6, 7],
    );
  });
});
