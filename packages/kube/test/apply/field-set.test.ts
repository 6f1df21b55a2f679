import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  difference,
  exclude,
  type FieldSet,
  hasPath,
  intersection,
  isEmpty,
  leaf,
  paths,
  sortedDeep,
  union,
} from "../../src/apply/field-set.ts";
import { compareElements, formatPath } from "../../src/apply/path-element.ts";

const element = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'k:{"name":"y"}', 'v:"z"');
const path = fc.array(element, { minLength: 1, maxLength: 3 });
const list = fc.array(path, { maxLength: 8 });

function setOf(all: readonly string[][]): FieldSet {
  const one = (steps: readonly string[]): FieldSet => {
    const [first = "", ...rest] = steps;
    return { [first]: rest.length > 0 ? one(rest) : leaf };
  };
  return all.reduce<FieldSet>((set, steps) => union(set, one(steps)), {});
}

const keyOf = (steps: readonly string[]) => steps.join("\n");
const keys = (all: readonly string[][]) => new Set(all.map(keyOf));
const members = (set: FieldSet) => keys(paths(set));

test("a set has the paths that it was made of", () => {
  fc.assert(
    fc.property(list, (all) => {
      assert.deepEqual(members(setOf(all)), keys(all));
      assert.equal(isEmpty(setOf(all)), all.length === 0);
      for (const steps of all) assert.ok(hasPath(setOf(all), steps));
    }),
  );
});

test("union, intersection and difference are those of the paths", () => {
  fc.assert(
    fc.property(list, list, (first, second) => {
      const [a, b] = [setOf(first), setOf(second)];
      const [left, right] = [keys(first), keys(second)];
      assert.deepEqual(members(union(a, b)), new Set([...left, ...right]));
      assert.deepEqual(members(intersection(a, b)), new Set([...left].filter((key) => right.has(key))));
      assert.deepEqual(members(difference(a, b)), new Set([...left].filter((key) => !right.has(key))));
      const below = (key: string) => [...right].some((other) => key === other || key.startsWith(`${other}\n`));
      assert.deepEqual(members(exclude(a, b)), new Set([...left].filter((key) => !below(key))));
    }),
  );
});

test("operations that change nothing give the same object, in the order of the server, and alter nothing", () => {
  fc.assert(
    fc.property(list, list, (first, second) => {
      const [a, b] = [setOf(first), setOf(second)];
      const before = JSON.stringify([a, b]);
      assert.equal(union(a, intersection(a, b)), a);
      assert.equal(difference(a, difference(b, a)), a);
      const both = union(a, b);
      assert.equal(JSON.stringify(both), JSON.stringify(sortedDeep(both)));
      assert.equal(JSON.stringify([a, b]), before);
    }),
  );
});

test("elements are ordered as the server orders them, and shown as its messages show them", () => {
  const sorted = [
    "f:a",
    "f:b",
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":443,"protocol":"TCP"}',
    'k:{"port":443,"protocol":"UDP"}',
    'k:{"type":"a"}',
    "v:2",
    "v:10",
    'v:"a"',
    "i:2",
    "i:10",
  ];
  assert.deepEqual([...sorted].reverse().sort(compareElements), sorted);
  assert.equal(
    formatPath(["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name"]),
    '.spec.ports[port=80,protocol="TCP"].name',
  );
  assert.equal(formatPath(["f:metadata", "f:finalizers", 'v:"a/b"']), '.metadata.finalizers[="a/b"]');
});
