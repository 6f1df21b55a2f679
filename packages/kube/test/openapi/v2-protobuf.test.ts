import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { builtInResources, openapiV2, openapiV2Protobuf } from "@dhow/kube";
import protobuf from "protobufjs/minimal.js";

test("the document is the message that Kubernetes' own library makes of it", () => {
  // document-v2.pb was written by github.com/google/gnostic-models 0.7.0 from document-v2.json; its YAML was made JSON.
  const beside = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));
  const document = JSON.parse(beside("document-v2.json").toString()) as Record<string, unknown>;
  assert.deepEqual(Buffer.from(openapiV2Protobuf(document)), beside("document-v2.pb"));
});

function countFields(bytes: Uint8Array): number {
  const reader = protobuf.Reader.create(bytes);
  let count = 0;
  for (; reader.pos < reader.len; count++) reader.skipType(reader.uint32() & 7);
  return count;
}

test("nothing of the whole document is lost on the way", () => {
  const document = openapiV2(builtInResources) as { paths: object; definitions: object; swagger: string };
  const reader = protobuf.Reader.create(openapiV2Protobuf(document));
  const parts = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) parts.set(reader.uint32() >>> 3, reader.bytes());
  assert.deepEqual([...parts.keys()], [1, 2, 8, 9]);
  assert.equal(countFields(parts.get(8) ?? new Uint8Array()), Object.keys(document.paths).length);
  assert.equal(countFields(parts.get(9) ?? new Uint8Array()), Object.keys(document.definitions).length);
});
