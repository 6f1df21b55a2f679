import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@dhow/testkit";
import { assert as holds, property, string } from "fast-check";
import { Backoff, crashLoopBackoff } from "../../src/kubelet/backoff.ts";
import { expand } from "../../src/kubelet/environment/expansion.ts";
import { goDuration, timestamp } from "../../src/kubelet/status/format.ts";
import { refreshAt } from "../../src/kubelet/volumes/tokens.ts";

test("restarts: at once, then after 1 s, doubling to a minute", async () => {
  const clock = new FakeClock();
  const backoff = new Backoff(crashLoopBackoff, clock);
  const waits: number[] = [];
  for (let restart = 0; restart < 9; restart++) {
    const failedAt = clock.now();
    const wait = backoff.remaining("c", failedAt);
    waits.push(wait);
    await clock.advance(wait);
    backoff.next("c", failedAt);
  }
  assert.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test("a container that ran for ten minutes begins anew", async () => {
  const clock = new FakeClock();
  const backoff = new Backoff(crashLoopBackoff, clock);
  for (let restart = 0; restart < 5; restart++) backoff.next("c", clock.now());
  assert.equal(backoff.remaining("c", clock.now()), 16_000);
  await clock.advance(600_001);
  assert.equal(backoff.remaining("c", clock.now()), 0);
  backoff.next("c", clock.now());
  assert.equal(backoff.delay("c"), 1000);
});

const known: Readonly<Record<string, string>> = { A: "1", B: "2 $(A)", "": "empty" };

for (const [text, expected] of [
  ["plain", "plain"],
  ["$(A)", "1"],
  ["x$(A)y$(B)", "x1y2 $(A)"],
  ["$(NONE)", "$(NONE)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$$$$(A)", "$$(A)"],
  ["$(A", "$(A"],
  ["$A $", "$A $"],
  ["$()", "empty"],
  ["a$$", "a$"],
] as const) {
  test(`${text} expands to ${expected}`, () =>
    assert.equal(
      expand(text, (name) => known[name]),
      expected,
    ));
}

test("text without a dollar is never changed, and doubled dollars come back single", () => {
  holds(
    property(string(), (text) => {
      const plain = text.replaceAll("$", "");
      assert.equal(
        expand(plain, () => "x"),
        plain,
      );
      assert.equal(
        expand(text.replaceAll("$", "$$$$"), () => "x"),
        text,
      );
    }),
  );
});

test("times and durations look as Go writes them", () => {
  assert.equal(timestamp(Date.UTC(2026, 10, 21, 4, 0, 36, 999)), "2026-11-21T04:00:36Z");
  assert.deepEqual([1000, 40_000, 80_000, 300_000, 3_600_000, 1500].map(goDuration), [
    "1s",
    "40s",
    "1m20s",
    "5m0s",
    "1h0m0s",
    "1.5s",
  ]);
});

test("a token is renewed after four fifths of its life, and daily", () => {
  assert.equal(refreshAt(0, 3_607_000), 2_885_600);
  assert.equal(refreshAt(0, 10 * 86_400_000), 86_400_000);
});
