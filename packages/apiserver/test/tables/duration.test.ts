import assert from "node:assert/strict";
import { test } from "node:test";
import { humanDuration, since } from "../../src/tables/duration.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

// apimachinery/pkg/util/duration/duration_test.go
const cases: [number, string][] = [
  [-2 * second, "<invalid>"],
  [-1 * second, "0s"],
  [999, "0s"],
  [second, "1s"],
  [2 * minute - 1, "119s"],
  [2 * minute, "2m"],
  [2 * minute + second, "2m1s"],
  [10 * minute - 1, "9m59s"],
  [10 * minute, "10m"],
  [3 * hour - 1, "179m"],
  [3 * hour, "3h"],
  [3 * hour + minute, "3h1m"],
  [8 * hour - 1, "7h59m"],
  [8 * hour, "8h"],
  [2 * day - 1, "47h"],
  [2 * day, "2d"],
  [2 * day + hour, "2d1h"],
  [8 * day - 1, "7d23h"],
  [8 * day, "8d"],
  [2 * year - 1, "729d"],
  [2 * year, "2y"],
  [2 * year + day, "2y1d"],
  [8 * year - 1, "7y364d"],
  [8 * year, "8y"],
];

for (const [milliseconds, expected] of cases) {
  test(`${milliseconds} ms are ${expected}`, () => {
    assert.equal(humanDuration(milliseconds), expected);
  });
}

test("no time is unknown", () => {
  assert.equal(since(undefined, 0), "<unknown>");
  assert.equal(since("1970-01-01T00:00:00Z", 5000), "5s");
});
