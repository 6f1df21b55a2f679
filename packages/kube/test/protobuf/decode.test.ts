import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeFields, decodeKind, decodeProtobuf, isStatusError, kindSchema, typeNames, typeSchema } from "@dhow/kube";
import type { KubeObject, ObjectSchema, Scalar, ValueSchema } from "@dhow/kube";
import * as fc from "fast-check";
import { encodeBody } from "./encode.ts";

function fixture<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as T[];
}

interface Capture {
  readonly client: string;
  readonly path: string;
  readonly body: string;
  readonly object: KubeObject;
}

// Each object was also sent as JSON to a real API server, which answered the same as to the body.
for (const { client, path, body, object } of fixture<Capture>("captures.json")) {
  test(`reads what ${client} sends to ${path}`, () => {
    assert.deepEqual(decodeProtobuf(Buffer.from(body, "base64"), object), object);
  });
}

for (const { protobuf, object } of fixture<{ protobuf: string; object: KubeObject }>("stored.json")) {
  test(`reads the protobuf form of a ${object.kind} as a real API server writes it in JSON`, () => {
    const decoded = decodeProtobuf(Buffer.from(protobuf, "base64"));
    const expected = structuredClone(decodeKind(object, object).object);
    // The templates within a StatefulSet get their kind when they are written as JSON only.
    const templates = (expected["spec"] as { volumeClaimTemplates?: Record<string, unknown>[] } | undefined)
      ?.volumeClaimTemplates;
    for (const template of templates ?? []) {
      delete template["apiVersion"];
      delete template["kind"];
    }
    assert.deepEqual(decoded, expected);
  });
}

const text = fc.string({ maxLength: 5 });
const seconds = fc.integer({ min: 1, max: 4e9 }).map((one) => `${new Date(one * 1000).toISOString().slice(0, 19)}Z`);
const scalars: Partial<Record<Scalar, fc.Arbitrary<unknown>>> = {
  string: text,
  bytes: fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
  quantity: fc.nat(10_000).map((one) => `${one}m`),
  intOrString: fc.oneof(fc.integer(), text),
  time: seconds,
  microTime: seconds.map((one) => one.replace("Z", ".012345Z")),
  raw: fc.dictionary(text, fc.integer(), { noNullPrototype: true }),
  fieldsV1: fc.dictionary(text, fc.constant({}), { noNullPrototype: true }),
};

function arbitraryValue(schema: ValueSchema, depth: number): fc.Arbitrary<unknown> {
  if (schema.form === "object") return arbitraryObject(schema.object, depth - 1);
  if (schema.form === "scalar") return scalars[schema.scalar] ?? fc.constant(undefined);
  // Protobuf knows no difference between nothing and an empty list.
  const element = arbitraryValue(schema.element, depth);
  const safe = text.filter((key) => key !== "__proto__");
  return schema.form === "list"
    ? fc.array(element, { minLength: 1, maxLength: 2 })
    : fc.dictionary(safe, element, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
}

function arbitraryObject(schema: ObjectSchema, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const parts: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of schema.fields.values()) {
    const isDeep = depth <= 0 && field.type.includes(".");
    if (field.path.length > 0 && !isDeep) parts[field.name] = arbitraryValue(field.value, depth);
  }
  return fc.record(parts, { requiredKeys: [] });
}

test("whatever the library's writer writes of any kind is read as the same object in JSON is", () => {
  const kinds = typeNames().filter((name) => typeSchema(name)?.apiVersion !== undefined && !name.endsWith("List"));
  assert.ok(kinds.length > 60);
  for (const name of kinds.filter((one) => !one.startsWith("apiextensions."))) {
    const schema = typeSchema(name);
    assert.ok(schema);
    fc.assert(
      fc.property(arbitraryObject(schema, 3), (object) => {
        const { fields, unknown } = decodeFields(object, schema);
        assert.deepEqual(unknown, []);
        const { apiVersion, kind, ...rest } = decodeProtobuf(encodeBody(object, name));
        assert.equal(`${apiVersion} ${kind}`, `${schema.apiVersion} ${schema.shortName}`);
        assert.deepEqual(rest, fields);
      }),
      { numRuns: 4 },
    );
  }
});

const deployment = { apiVersion: "apps/v1", kind: "Deployment" };
const typeMeta = "0a150a07617070732f7631120a4465706c6f796d656e74";
const refusals: Record<string, string> = {
  garbage:
    "the object provided is unrecognized (must be of type Deployment): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (67617262616765)",
  "": "the object provided is unrecognized (must be of type Deployment): empty data (<empty>)",
  "k8s\0\u00ff\u00ff":
    "the object provided is unrecognized (must be of type Deployment): unexpected EOF (6b387300ffff)",
  [`k8s\0${Buffer.from(`${typeMeta}1203ffffff`, "hex").toString("latin1")}`]:
    'Deployment in version "v1" cannot be handled as a Deployment: unexpected EOF',
};

for (const [body, message] of Object.entries(refusals)) {
  test(`refuses as a real API server refuses: ${message}`, () => {
    assert.throws(
      () => decodeProtobuf(Buffer.from(body, "latin1"), deployment),
      (error) => isStatusError(error) && error.status.code === 400 && (assert.equal(error.message, message), true),
    );
  });
}

test("bytes that are cut short or altered are refused or read, never anything else", () => {
  const [capture] = fixture<Capture>("captures.json");
  assert.ok(capture && kindSchema("apps/v1", "Deployment"));
  const whole = Buffer.from(capture.body, "base64");
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, value) => {
      const bytes = Buffer.from(whole);
      bytes[at] = value;
      try {
        decodeProtobuf(bytes.subarray(0, length), deployment);
      } catch (error) {
        if (!isStatusError(error) || error.status.code !== 400) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
