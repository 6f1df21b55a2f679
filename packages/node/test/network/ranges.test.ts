import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatSpan, spanOf, subtract, unite } from "../../src/network/ranges.ts";

/** Few addresses, so that spans meet often. */
const span = fc.tuple(fc.nat(40), fc.nat(12)).map(([first, length]) => ({ first, last: first + length }));
const members = (spans: readonly { first: number; last: number }[]) =>
  new Set(spans.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index)));

test("a union has the same addresses in spans that neither overlap nor touch", () => {
  fc.assert(
    fc.property(fc.array(span), (spans) => {
      const united = unite(spans);
      assert.deepEqual(members(united), new Set([...members(spans)].sort((a, b) => a - b)));
      for (const [index, { first }] of united.entries()) {
        const previous = united[index - 1];
        assert.ok(previous === undefined || first > previous.last + 1);
      }
    }),
  );
});

test("a difference has what is in the span and in no exception", () => {
  fc.assert(
    fc.property(span, fc.array(span), (whole, exceptions) => {
      const excluded = members(exceptions);
      assert.deepEqual(
        [...members(subtract(whole, exceptions))],
        [...members([whole])].filter((each) => !excluded.has(each)),
      );
    }),
  );
});

test("a block's host bits do not count, and the whole of IPv4 is one", () => {
  assert.equal(formatSpan(spanOf("10.244.1.77/24")), "10.244.1.0-10.244.1.255");
  assert.equal(formatSpan(spanOf("10.1.2.3/32")), "10.1.2.3");
  assert.equal(formatSpan(spanOf("0.0.0.0/0")), "0.0.0.0-255.255.255.255");
});
