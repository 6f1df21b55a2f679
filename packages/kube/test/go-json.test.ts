import assert from "node:assert/strict";
import { test } from "node:test";
import { goJson } from "@dhow/kube";

// What a real API server (1.36.3) sends of a ConfigMap with these characters, as `kubectl get --raw` shows it.
test("JSON is written as Go writes it", () => {
  const value = { "a<b": "x > y & z\u2028\u2029", plain: "ü" };
  const text = String.raw`{"a\u003cb":"x \u003e y \u0026 z\u2028\u2029","plain":"ü"}`;
  assert.equal(goJson(value), text);
  assert.deepEqual(JSON.parse(text), value);
  assert.equal(goJson({ a: "<" }, 2), '{\n  "a": "\\u003c"\n}');
});
