import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@dhow/testkit";
import { Expectations } from "../src/manager/expectations.ts";
import { renderQueueMetrics } from "../src/manager/metrics.ts";
import { Recent } from "../src/manager/recent.ts";
import { WorkQueue } from "../src/manager/work-queue.ts";
import { slowStart } from "../src/pod-control.ts";

const turn = () => new Promise(setImmediate);

test("a key that waits is worked on once, and one that is added under way once more afterwards", async () => {
  const worked: string[] = [];
  let release: () => void = () => undefined;
  const queue = new WorkQueue({
    name: "q",
    clock: new FakeClock(),
    signal: new AbortController().signal,
    workers: 2,
    onError: () => undefined,
    reconcile: async (key) => {
      worked.push(key);
      if (key === "slow") await new Promise<void>((resolve) => (release = resolve));
    },
  });
  for (const key of ["a", "a", "slow", "b"]) queue.add(key);
  await turn();
  assert.deepEqual(worked, [], "nothing before it is started");
  queue.start();
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(worked, ["a", "slow", "b"]);
  queue.add("slow");
  queue.add("slow");
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(worked.filter((key) => key === "slow").length, 1, "never twice at the same time");
  release();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(worked.filter((key) => key === "slow").length, 2);
  assert.match(renderQueueMetrics([queue]), /^workqueue_unfinished_work\{name="q"\} 1$/m);
});

test("what fails is tried again, each time twice as long after", async () => {
  const clock = new FakeClock(0);
  const at: number[] = [];
  const queue = new WorkQueue({
    name: "q",
    clock,
    signal: new AbortController().signal,
    workers: 1,
    onError: () => undefined,
    reconcile: async () => {
      at.push(clock.now());
      if (at.length < 6) throw new Error("not yet");
    },
  });
  queue.start();
  queue.add("key");
  for (let i = 0; i < 400; i++) await clock.advance(1);
  assert.equal(at.length, 6);
  const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
  for (const [i, wait] of waits.entries()) assert.ok(wait >= 5 * 2 ** i, `${wait} ms before retry ${i + 1}`);
});

test("expectations hold until what was asked for was seen, or has been forgotten for five minutes", async () => {
  const clock = new FakeClock();
  const expectations = new Expectations(clock);
  assert.equal(expectations.satisfied("k"), true);
  expectations.expect("k", 2, ["uid-1"]);
  expectations.created("k");
  expectations.deleted("k", "uid-2");
  assert.equal(expectations.satisfied("k"), false);
  expectations.created("k");
  assert.equal(expectations.satisfied("k"), false, "the deletion has not been seen");
  expectations.deleted("k", "uid-1");
  assert.equal(expectations.satisfied("k"), true);
  expectations.expect("k", 1);
  await clock.advance(301_000);
  assert.equal(expectations.satisfied("k"), true);
});

test("slow start stops after the first batch that fails", async () => {
  let calls = 0;
  const all = await slowStart(10, async () => void calls++);
  assert.deepEqual([all.succeeded, calls], [10, 10]);
  calls = 0;
  const { succeeded, error } = await slowStart(100, async (index) => {
    calls++;
    if (index >= 3) throw new Error("quota");
  });
  assert.deepEqual([succeeded, calls], [3, 7], "1 + 2 + 4, of which the last batch failed");
  assert.match(String(error), /quota/);
});

test("what is remembered of events has a bound: the oldest goes first, and what is too old to matter goes, too", async () => {
  const clock = new FakeClock();
  const recent = new Recent<number>(clock, { entries: 3, milliseconds: 1000 });
  for (const [value, key] of ["a", "b", "c", "a", "d"].entries()) recent.set(key, value);
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => recent.get(key)),
    [3, undefined, 2, 4],
  );
  await clock.advance(900);
  recent.set("a", 5);
  await clock.advance(200);
  recent.set("e", 6);
  assert.deepEqual([recent.size, recent.get("a"), recent.get("e")], [2, 5, 6]);
});
