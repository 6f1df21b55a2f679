import assert from "node:assert/strict";
import { test } from "node:test";
import { clone, deepFreeze, jsonPatch, type KubeObject, mergePatch, StatusError } from "@dhow/kube";
import * as fc from "fast-check";
import { realNamespace, skip } from "../real-cluster.ts";

const base = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "cm", finalizers: ["a.b/c", "d.e/f"], annotations: { "b/c": "2" } },
  data: { a: "1" },
};
deepFreeze(base);

interface Outcome {
  data?: unknown;
  finalizers?: string[] | undefined;
  annotations?: unknown;
}

type Expected = Outcome | number;

const same: Outcome = { data: { a: "1" }, finalizers: ["a.b/c", "d.e/f"], annotations: { "b/c": "2" } };
const finalizers = (...names: string[]): Outcome => ({ ...same, finalizers: names });
const data = (fields: Record<string, string>): Outcome => ({ ...same, data: fields });
const x = "x.y/z";

// As a 1.36 server answers: what comes out, or the status code.
const jsonCases: [unknown, Expected][] = [
  [[], same],
  [null, same],
  [[{ op: "test", path: "/data/a", value: "1" }], same],
  [[{ op: "test", path: "/data/a", value: "2" }], 422],
  [[{ op: "test", path: "/data/zz", value: "2" }], 422],
  [[{ op: "test", path: "/data/zz", value: null }], same],
  [[{ op: "test", path: "/zz/zz/zz", value: null }], 422],
  [[{ op: "test", path: "/metadata/finalizers", value: ["a.b/c", "d.e/f"] }], same],
  [[{ op: "test", path: "/metadata/finalizers/1", value: "d.e/f" }], same],
  [[{ op: "test", path: "/metadata/finalizers/9", value: "d.e/f" }], 422],
  [[{ op: "remove", path: "/data/a" }], { ...same, data: undefined }],
  [[{ op: "remove", path: "/data/zz" }], 422],
  [[{ op: "remove", path: "/zz/zz" }], 422],
  [[{ op: "remove", path: "" }], 422],
  [[{ op: "replace", path: "/data/a", value: "x" }], data({ a: "x" })],
  [[{ op: "replace", path: "/data/zz", value: "x" }], data({ a: "1", zz: "x" })],
  [[{ op: "replace", path: "/zz/zz", value: "x" }], 422],
  [[{ op: "add", path: "/metadata/annotations/b~1c", value: "x" }], { ...same, annotations: { "b/c": "x" } }],
  [[{ op: "add", path: "/zz/zz", value: "x" }], 422],
  [[{ op: "add", path: "/data/a/b", value: "1" }], 422],
  [[{ op: "add", path: "data/x", value: "1" }], same],
  [[{ op: "add", value: "x" }], 422],
  [[{ op: "add", path: "/data", value: null }], { ...same, data: undefined }],
  [[{ op: "add", path: "/data/__proto__", value: "1" }], { ...same, data: JSON.parse('{"a":"1","__proto__":"1"}') }],
  [[{ op: "add", path: "/metadata/finalizers/-", value: x }], finalizers("a.b/c", "d.e/f", x)],
  [[{ op: "add", path: "/metadata/finalizers/0", value: x }], finalizers(x, "a.b/c", "d.e/f")],
  [[{ op: "add", path: "/metadata/finalizers/2", value: x }], finalizers("a.b/c", "d.e/f", x)],
  [[{ op: "add", path: "/metadata/finalizers/5", value: x }], 422],
  [[{ op: "add", path: "/metadata/finalizers/-1", value: x }], finalizers("a.b/c", "d.e/f", x)],
  [[{ op: "add", path: "/metadata/finalizers/-3", value: x }], finalizers(x, "a.b/c", "d.e/f")],
  [[{ op: "add", path: "/metadata/finalizers/-4", value: x }], 422],
  [[{ op: "add", path: "/metadata/finalizers/x", value: x }], 422],
  [[{ op: "remove", path: "/metadata/finalizers/0" }], finalizers("d.e/f")],
  [[{ op: "remove", path: "/metadata/finalizers/2" }], 422],
  [[{ op: "remove", path: "/metadata/finalizers/-1" }], finalizers("a.b/c")],
  [[{ op: "replace", path: "/metadata/finalizers/7", value: x }], 422],
  [[{ op: "replace", path: "/metadata/finalizers/-1", value: x }], finalizers("a.b/c", x)],
  [[{ op: "move", from: "/data/a", path: "/data/q" }], data({ q: "1" })],
  [[{ op: "move", from: "/data/qq", path: "/data/q" }], 422],
  [
    [{ op: "move", from: "/data", path: "/metadata/annotations" }],
    { ...same, data: undefined, annotations: { a: "1" } },
  ],
  [[{ op: "copy", from: "/data/a", path: "/data/q" }], data({ a: "1", q: "1" })],
  [[{ op: "nope", path: "/data/a" }], 422],
  [[{ path: "/data/a" }], 422],
  [[{ op: "add", path: "", value: {} }], 422],
  [{ op: "add" }, 400],
];

const mergeCases: [unknown, Expected][] = [
  [{}, same],
  [null, 400],
  [[], 400],
  ["x", 400],
  [{ data: null }, { ...same, data: undefined }],
  [{ data: { a: null, n: null, m: "1" } }, data({ m: "1" })],
  [{ metadata: { finalizers: [x] } }, finalizers(x)],
  [{ metadata: { annotations: { d: "1", "b/c": null } } }, { ...same, annotations: { d: "1" } }],
  [JSON.parse('{"data":{"__proto__":"1"}}'), { ...same, data: JSON.parse('{"a":"1","__proto__":"1"}') }],
];

function outcomeOf(object: KubeObject): Outcome {
  const { finalizers, annotations } = object.metadata;
  const fields = object["data"] as Record<string, string> | null | undefined;
  const data = fields && Object.keys(fields).length > 0 ? fields : undefined;
  return { data, finalizers, annotations };
}

function attempt(patch: () => KubeObject): Expected {
  try {
    return outcomeOf(patch());
  } catch (error) {
    assert.ok(error instanceof StatusError);
    return error.code;
  }
}

for (const [patch, expected] of jsonCases) {
  test(`json patch ${JSON.stringify(patch)}`, () => {
    assert.deepEqual(
      attempt(() => jsonPatch<KubeObject>(base, patch)),
      expected,
    );
  });
}

for (const [patch, expected] of mergeCases) {
  test(`merge patch ${JSON.stringify(patch)}`, () => {
    assert.deepEqual(
      attempt(() => mergePatch<KubeObject>(base, patch)),
      expected,
    );
  });
}

for (const [type, cases] of [
  ["json", jsonCases],
  ["merge", mergeCases],
] as const) {
  test(`a real API server does the same with ${type} patches`, { skip }, async () => {
    await using real = await realNamespace();
    const { client, namespace } = real;
    await client.create({ ...base, metadata: { ...base.metadata, namespace } });
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "cm" };
    for (const [patch, expected] of cases) {
      const answer = await client.patch(ref, type, patch, { dryRun: "All" }).then(outcomeOf, (error: unknown) => error);
      assert.deepEqual(answer instanceof StatusError ? answer.code : answer, expected, JSON.stringify(patch));
    }
    await client.patch(ref, "merge", { metadata: { finalizers: null } });
  });
}

test("the words of failures", () => {
  assert.throws(() => jsonPatch(base, [{ op: "remove", path: "/nothing" }]), {
    message: "the server rejected our request due to an error in our request",
  });
  assert.throws(() => jsonPatch(base, {}), {
    message: "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  });
  assert.throws(() => mergePatch(base, []), {
    message: "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
  });
  assert.throws(
    () =>
      jsonPatch(
        base,
        Array.from({ length: 10_001 }, () => ({})),
      ),
    {
      message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    },
  );
});

test("a merge patch is its own repetition, and alters nothing given", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.constantFrom(0, "a", null, [1, { a: null }]), tie("object")),
    object: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
  })).object;
  fc.assert(
    fc.property(value, value, (document, patch) => {
      const before = clone([document, patch]);
      const once = mergePatch(document, patch);
      assert.deepEqual(mergePatch(once, patch), once);
      assert.deepEqual([document, patch], before);
    }),
  );
});
