import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  decodeJson,
  decodeKind,
  duplicateFields,
  isStatusError,
  JsonSyntaxError,
  kindSchema,
  type KubeObject,
  refuseStrict,
  typeNames,
  typeSchema,
} from "@dhow/kube";
import * as fc from "fast-check";

interface Refusal {
  readonly apiVersion: string;
  readonly kind: string;
  readonly body: string;
  readonly message: string;
}

/** Bodies that a real API server 1.36.3 refused with 400 (`fieldValidation=Strict`), and what it said. */
const refusals = JSON.parse(readFileSync(new URL("refusals.json", import.meta.url), "utf8")) as Refusal[];

for (const { body, message, ...kind } of refusals) {
  test(`refused as a real API server refuses it: ${message}`, () => {
    assert.throws(
      () => refuseStrict(decodeJson(body, kind).strict, kind),
      (error) =>
        isStatusError(error) && error.status.code === 400 && (assert.equal(error.status.message, message), true),
    );
  });
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutNulls(one)]));
}

test("what a real API server returns is in the form that decoding gives", () => {
  const stored = JSON.parse(readFileSync(new URL("stored.json", import.meta.url), "utf8")) as KubeObject[];
  assert.ok(stored.length > 20);
  for (const object of stored) {
    const { object: decoded, strict } = decodeKind(object, object);
    assert.deepEqual(strict, []);
    assert.deepEqual(decoded, withoutNulls(object));
  }
});

test("what Go leaves out is left out, and what it always writes is there", () => {
  const body = {
    metadata: { name: "web", labels: {}, generation: 0, creationTimestamp: null },
    spec: {
      replicas: 0,
      paused: false,
      selector: { matchLabels: { a: "b" } },
      template: { spec: { containers: [{ name: "c", env: [], command: null }], terminationGracePeriodSeconds: 0 } },
    },
  };
  const { object } = decodeJson(JSON.stringify(body), { apiVersion: "apps/v1", kind: "Deployment" });
  assert.deepEqual(object, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 0,
      selector: { matchLabels: { a: "b" } },
      strategy: {},
      template: {
        metadata: {},
        spec: { containers: [{ name: "c", resources: {} }], terminationGracePeriodSeconds: 0 },
      },
    },
    status: {},
  });
});

test("unknown and duplicate fields are dropped and told, in Warn mode too", () => {
  const text = '{"metadata":{"name":"a"},"data":{"x":"1","x":"2"},"spec":{"y":1,"y":2}}';
  const { object, strict } = decodeJson(text, { apiVersion: "v1", kind: "ConfigMap" });
  assert.deepEqual(strict, ['duplicate field "data.x"', 'unknown field "spec"']);
  assert.deepEqual(object["data"], { x: "2" });
});

test("custom resources keep everything but what metadata does not have", () => {
  const value = { apiVersion: "x.io/v1", kind: "Thing", metadata: { name: "a", foo: 1 }, spec: { any: null } };
  const { object, strict } = decodeKind(value, value);
  assert.deepEqual(strict, ['unknown field "metadata.foo"']);
  assert.deepEqual(object, { apiVersion: "x.io/v1", kind: "Thing", metadata: { name: "a" }, spec: { any: null } });
});

test("keys of maps that JavaScript treats specially stay keys", () => {
  const text = '{"metadata":{"name":"a","labels":{"__proto__":"x"}}}';
  const { object } = decodeJson(text, { apiVersion: "v1", kind: "ConfigMap" });
  assert.equal(JSON.stringify(object.metadata.labels), '{"__proto__":"x"}');
});

test("any JSON is scanned as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      assert.deepEqual(duplicateFields(text), []);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      if (parses) duplicateFields(text);
      else assert.throws(() => duplicateFields(text), JsonSyntaxError);
    }),
    { numRuns: 2000 },
  );
});

test("the schema tells list types, merge keys and defaults", () => {
  const container = typeSchema("core.v1.Container");
  const ports = container?.field("ports");
  assert.equal(ports?.mergeKey, "containerPort");
  assert.deepEqual(ports.patchStrategies, ["merge"]);
  assert.equal(ports.listType, "map");
  assert.deepEqual(ports.listKeys, ["containerPort", "protocol"]);
  assert.equal(typeSchema("core.v1.ContainerPort")?.field("protocol")?.default, "TCP");
  assert.equal(typeSchema("core.v1.PodTemplateSpec")?.field("spec")?.value.form, "object");
  assert.equal(kindSchema("apps/v1", "Deployment")?.name, "apps.v1.Deployment");
  assert.equal(kindSchema("policy/v1", "DeleteOptions")?.name, "meta.v1.DeleteOptions");
  assert.equal(typeSchema("core.v1.ObjectReference")?.atomic, true);
  assert.equal(kindSchema("x.io/v1", "Thing"), undefined);
  for (const name of typeNames()) for (const field of typeSchema(name)?.fields.values() ?? []) assert.ok(field.value);
});
