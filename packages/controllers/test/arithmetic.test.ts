import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, Toleration } from "@dhow/kube";
import * as fc from "fast-check";
import { missedTimes, nextTime, parseSchedule } from "../src/cron/schedule.ts";
import { allowance } from "../src/disruption/allowance.ts";
import { formatIndexes, freeIndexes, parseIndexes } from "../src/job/indexes.ts";
import { inVictimOrder } from "../src/pods.ts";
import { podUsage, totalUsage } from "../src/quota/usage.ts";
import { podRequests } from "../src/scheduler/resources.ts";
import { patience } from "../src/taint-eviction.ts";
import { sameTemplate, templateHash } from "../src/template-hash.ts";

test("completion indexes survive being written and read", () => {
  assert.equal(formatIndexes([7, 3, 4, 5, 1]), "1,3-5,7");
  assert.equal(formatIndexes([1, 2]), "1,2");
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 200 })), (indexes) => {
      const read = parseIndexes(formatIndexes(indexes), 201);
      assert.deepEqual(
        [...read].sort((a, b) => a - b),
        indexes.sort((a, b) => a - b),
      );
      const free = freeIndexes(read, 201, 10);
      assert.ok(free.every((index) => !read.has(index)) && free.length === Math.min(10, 201 - indexes.length));
    }),
  );
});

test("cron schedules", () => {
  const at = (text: string) => Date.parse(text);
  const next = (schedule: string, after: string, zone?: string) =>
    new Date(nextTime(parseSchedule(schedule), at(after), zone) ?? 0).toISOString().slice(0, 16);
  assert.equal(next("*/15 * * * *", "2026-01-01T10:07:00Z"), "2026-01-01T10:15");
  assert.equal(next("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00");
  assert.equal(next("0 9 * * mon-fri", "2026-01-02T10:00:00Z"), "2026-01-05T09:00");
  assert.equal(next("0 0 13 * 5", "2026-01-01T00:00:00Z"), "2026-01-02T00:00", "the 13th or a Friday");
  assert.equal(next("30 2 * * *", "2026-06-01T12:00:00Z", "Europe/Berlin"), "2026-06-02T00:30");
  assert.equal(next("@hourly", "2026-01-01T10:00:00Z"), "2026-01-01T11:00");
  assert.throws(() => parseSchedule("61 * * * *"), /not between 0 and 59/);
  assert.throws(() => parseSchedule("* * *"), /expected exactly 5 fields/);
  const missed = missedTimes(parseSchedule("0 * * * *"), at("2026-01-01T00:30:00Z"), at("2026-01-01T03:30:00Z"));
  assert.deepEqual(missed, { latest: at("2026-01-01T03:00:00Z"), count: 3 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 59 }), fc.integer({ min: 0, max: 4e9 }), (step, seconds) => {
      const schedule = parseSchedule(`*/${step} * * * *`);
      const time = nextTime(schedule, seconds * 1000) ?? 0;
      assert.ok(time > seconds * 1000 && time - seconds * 1000 <= 3_600_000);
      assert.equal(new Date(time).getUTCMinutes() % step, 0);
    }),
  );
});

test("a disruption budget never allows going below what it protects", () => {
  assert.deepEqual(allowance({ minAvailable: 2 }, 3, undefined, 3), {
    expectedPods: 3,
    desiredHealthy: 2,
    disruptionsAllowed: 1,
  });
  assert.deepEqual(allowance({ maxUnavailable: "50%" }, 3, 3, 3), {
    expectedPods: 3,
    desiredHealthy: 1,
    disruptionsAllowed: 2,
  });
  assert.equal(allowance({ maxUnavailable: 1 }, 3, undefined, 3), undefined, "nobody says how many there should be");
  const value = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
  );
  fc.assert(
    fc.property(
      value,
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
      (minAvailable, scale, healthy) => {
        const allowed = allowance({ minAvailable }, scale, scale, healthy);
        assert.ok(allowed);
        if (allowed.disruptionsAllowed > 0) assert.ok(healthy - allowed.disruptionsAllowed >= allowed.desiredHealthy);
      },
    ),
  );
});

const container = (cpu: string | undefined, more: Partial<Container> = {}): Container => ({
  name: "c",
  ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }),
  ...more,
});
const pod = (spec: Pod["spec"], status?: Pod["status"], metadata: Pod["metadata"] = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", uid: metadata.name ?? "u", ...metadata },
  spec,
  ...(status ? { status } : {}),
});

test("a pod asks for its containers together, or for its largest init container; sidecars add up", () => {
  const two = [container("100m"), container("200m")];
  assert.equal(podRequests(pod({ containers: two }))["cpu"], 300);
  assert.equal(podRequests(pod({ containers: two, initContainers: [container("1")] }))["cpu"], 1000);
  const sidecar = container("50m", { restartPolicy: "Always" });
  assert.equal(podRequests(pod({ containers: two, initContainers: [sidecar, container("400m")] }))["cpu"], 450);
  assert.equal(podRequests(pod({ containers: two, overhead: { cpu: "10m" } }))["cpu"], 310);
  assert.equal(podRequests(pod({ containers: two, resources: { requests: { cpu: "2" } } }))["cpu"], 2000);
});

test("a quota counts what runs; a pod that has ended only as an object", () => {
  const hard = { pods: "10", "requests.cpu": "4", "count/pods": "10", memory: "1Gi" };
  const running = podUsage(pod({ containers: [container("1500m")] }));
  const ended = podUsage(pod({ containers: [container("1")] }, { phase: "Succeeded" }));
  assert.deepEqual(totalUsage(hard, [running, running, ended]), {
    pods: "2",
    "requests.cpu": "3",
    "count/pods": "3",
    memory: "0",
  });
});

test("victims: unassigned, pending, not ready, cheap, crowded, young", () => {
  const now = Date.UTC(2026, 0, 2);
  const ready = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
  const on = (
    name: string,
    nodeName: string | undefined,
    status: Pod["status"],
    annotations: Record<string, string> = {},
    created = "2026-01-01T00:00:00Z",
  ) =>
    pod({ containers: [], ...(nodeName ? { nodeName } : {}) }, status, {
      name,
      annotations,
      creationTimestamp: created,
    });
  const pods = [
    on("old", "n2", { phase: "Running", conditions: ready }),
    on("young", "n2b", { phase: "Running", conditions: ready }, {}, "2026-01-01T23:59:59Z"),
    on("crowd-1", "n1", { phase: "Running", conditions: ready }),
    on("crowd-2", "n1", { phase: "Running", conditions: ready }),
    on("cheap", "n3", { phase: "Running", conditions: ready }, { "controller.kubernetes.io/pod-deletion-cost": "-1" }),
    on("not-ready", "n3b", { phase: "Running" }),
    on("pending", "n4", { phase: "Pending" }),
    on("unassigned", undefined, { phase: "Pending" }),
  ];
  const order = inVictimOrder(pods, pods, now).map(({ metadata }) => metadata.name);
  assert.deepEqual(order, ["unassigned", "pending", "not-ready", "cheap", "crowd-1", "crowd-2", "young", "old"]);
});

test("a pod's patience with taints is that of its shortest toleration", () => {
  const taints = [{ key: "a", effect: "NoExecute" as const }];
  const tolerate = (change: Toleration): Toleration => ({
    key: "a",
    operator: "Exists",
    effect: "NoExecute",
    ...change,
  });
  assert.equal(patience([], taints), 0);
  assert.equal(patience([tolerate({})], taints), undefined);
  assert.equal(patience([tolerate({ tolerationSeconds: 300 }), tolerate({ tolerationSeconds: 5 })], taints), 5000);
  assert.equal(patience([], [{ key: "a", effect: "NoSchedule" }]), undefined);
});

test("templates are the same whatever the order of their fields, and whatever hash label they carry", () => {
  const a = {
    metadata: { labels: { app: "x", "pod-template-hash": "abc" } },
    spec: { containers: [{ name: "c", image: "i" }] },
  };
  const b = { spec: { containers: [{ image: "i", name: "c" }] }, metadata: { labels: { app: "x" } } };
  assert.ok(sameTemplate(a, b));
  assert.equal(templateHash(b, undefined), templateHash({ metadata: b.metadata, spec: b.spec }, undefined));
  assert.notEqual(templateHash(b, undefined), templateHash(b, 1));
  assert.match(templateHash(b, undefined), /^[bcdfghjklmnpqrstvwxz2456789]+$/);
});
