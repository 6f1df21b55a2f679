import assert from "node:assert/strict";
import { test } from "node:test";
import { clone, deepEqual, deepFreeze } from "@dhow/kube";
import * as fc from "fast-check";

test("a clone is equal and shares nothing", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = clone(value);
      assert.deepEqual(copy, value);
      assert.ok(deepEqual(copy, value));
      deepFreeze(value);
      assert.ok(typeof copy !== "object" || copy === null || !Object.isFrozen(copy) || Object.keys(copy).length === 0);
    }),
  );
});

test("agrees with the assertion library on pairs of values", () => {
  const small = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.constantFrom(0, 1, "a", null, true), tie("list"), tie("object")),
    list: fc.array(tie("value"), { maxLength: 2 }),
    object: fc.dictionary(fc.constantFrom("a", "b"), tie("value"), { maxKeys: 2, noNullPrototype: true }),
  })).value;
  fc.assert(
    fc.property(small, small, (a, b) => {
      let equal = true;
      try {
        assert.deepEqual(a, b);
      } catch {
        equal = false;
      }
      assert.equal(deepEqual(a, b), equal);
      assert.equal(deepEqual(b, a), equal);
    }),
  );
});

test("the order of fields does not count, nor an undefined one", () => {
  assert.ok(deepEqual({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1, e: undefined }));
  assert.ok(!deepEqual({ a: undefined, b: 1 }, { a: 1, b: undefined }));
  assert.ok(!deepEqual([], {}));
});

test("a frozen value throws where it is changed", () => {
  const value = deepFreeze({ a: [{ b: 1 }] });
  assert.throws(() => ((value.a[0] as { b: number }).b = 2), TypeError);
});
