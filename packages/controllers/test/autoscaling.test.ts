import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { downLimit, downRules, limit, plainUpLimit, stabilize, upLimit, upRules } from "../src/autoscaling/behavior.ts";
import { type MeasuredPod, type MetricQuestion, replicasFor, type Sample } from "../src/autoscaling/replicas.ts";

const now = Date.UTC(2026, 0, 1);
const pod = (name: string, change: Partial<MeasuredPod> = {}): MeasuredPod => ({
  name,
  phase: "Running",
  deleting: false,
  startTime: now - 3_600_000,
  ready: { status: true, since: now - 3_500_000 },
  request: 1000,
  ...change,
});
const sample = (value: number): Sample => ({ value, at: now, window: 15_000 });

function question(usage: readonly (number | undefined)[], change: Partial<MetricQuestion> = {}): MetricQuestion {
  const pods = usage.map((_, i) => pod(`p${i}`));
  const samples = new Map(
    usage.flatMap((value, i) => (value === undefined ? [] : [[`p${i}`, sample(value)] as const])),
  );
  const tolerance = { up: 0.1, down: 0.1 };
  return { current: usage.length, pods, samples, target: { utilization: 50 }, isCpu: true, tolerance, now, ...change };
}

test("the ratio of usage to target decides, within a tolerance", () => {
  assert.equal(replicasFor(question([900, 900])).replicas, 4);
  assert.equal(replicasFor(question([500, 545])).replicas, 2, "4 % above the target is within the tolerance");
  assert.equal(replicasFor(question([100, 100, 100])).replicas, 1);
  assert.equal(replicasFor(question([900, 900])).utilization, 90);
  assert.equal(replicasFor(question([300, 300], { target: { average: 100 } })).replicas, 6);
});

test("what is not known makes the change smaller", () => {
  assert.equal(
    replicasFor(question([900, undefined])).replicas,
    2,
    "growth would turn back with the missing pod at zero",
  );
  assert.equal(replicasFor(question([100, 100, 100, undefined])).replicas, 3, "the missing pod counts as fully used");
  const starting = question([1000, 1000]);
  const unready = pod("p2", { startTime: now - 10_000, ready: { status: false, since: now - 10_000 } });
  const grown = replicasFor({
    ...starting,
    current: 3,
    pods: [...starting.pods, unready],
    samples: new Map([...starting.samples, ["p2", sample(5000)]]),
  });
  assert.equal(grown.replicas, 4, "a pod that is starting does not count with what its start uses");
});

test("without pods, samples or requests it says so", () => {
  assert.throws(() => replicasFor(question([])), /no pods returned by selector/);
  assert.throws(() => replicasFor(question([undefined, undefined])), /did not receive metrics for targeted pods/);
});

test("an answer never contradicts the direction of its ratio", () => {
  const usages = fc.array(fc.option(fc.integer({ min: 0, max: 3000 }), { nil: undefined }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(usages, fc.integer({ min: 1, max: 100 }), (usage, utilization) => {
      const known = usage.filter((value) => value !== undefined);
      fc.pre(known.length > 0);
      const { replicas, utilization: measured = 0 } = replicasFor(question(usage, { target: { utilization } }));
      assert.ok(replicas >= 0 && Number.isInteger(replicas));
      if (measured > utilization) assert.ok(replicas >= usage.length || replicas >= known.length);
      if (measured < utilization) assert.ok(replicas <= usage.length);
    }),
  );
});

const nothing = { recommendations: [], scaleUps: [], scaleDowns: [] };

test("the default rules: at most 4 pods or double in 15 s up; down after five quiet minutes", () => {
  const up = upRules(undefined);
  assert.equal(upLimit(2, up, nothing, now), 6);
  assert.equal(upLimit(10, up, nothing, now), 20);
  const recent = { ...nothing, scaleUps: [{ at: now - 5000, count: 4 }] };
  assert.equal(upLimit(6, up, recent, now), 6, "the period's four pods are used up");
  const down = downRules(undefined, 300_000);
  const history = { ...nothing, recommendations: [{ at: now - 200_000, count: 8 }] };
  assert.equal(stabilize(8, 2, up, down, history, now), 8);
  assert.equal(stabilize(8, 2, up, down, history, now + 200_000), 2);
  assert.equal(downLimit(8, down, nothing, now), 0);
  assert.equal(
    downLimit(8, downRules({ policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] }, 0), nothing, now),
    6,
  );
  assert.equal(downLimit(8, downRules({ selectPolicy: "Disabled" }, 0), nothing, now), 8);
  assert.equal(plainUpLimit(1), 4);
});

test("the result is always within the bounds, and between the current and the desired count unless a bound pulls", () => {
  const counts = fc.integer({ min: 0, max: 50 });
  fc.assert(
    fc.property(
      counts,
      counts,
      counts,
      counts,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 30 }),
      (current, desired, upRate, downRate, min, extra) => {
        const bounds = { min, max: min + extra };
        fc.pre(current >= bounds.min && current <= bounds.max);
        const { replicas } = limit(bounds, current, desired, { up: upRate, down: downRate });
        assert.ok(replicas >= bounds.min && replicas <= bounds.max, `${replicas}`);
        if (desired >= bounds.min && desired <= bounds.max) {
          assert.ok(replicas >= Math.min(current, desired) && replicas <= Math.max(current, desired));
        }
      },
    ),
  );
});
