import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPatch, type KubeObject, onlyTimesDiffer, trackUpdate } from "@dhow/kube";

const now = Date.UTC(2026, 0, 1);
const options = { manager: "a", force: false, now, schema: undefined };
const applied = (data: object): KubeObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data });

test("times alone are no change; owners and values are one", () => {
  const { object } = applyPatch(undefined, applied({ x: "1" }), options);
  const later = structuredClone(object);
  for (const entry of later.metadata.managedFields ?? []) entry.time = "2026-02-02T00:00:00Z";
  assert.ok(onlyTimesDiffer(object, later));
  assert.ok(!onlyTimesDiffer(object, { ...later, data: { x: "2" } }));
  const { object: shared } = applyPatch(object, applied({ x: "1" }), { ...options, manager: "b" });
  assert.ok(!onlyTimesDiffer(object, shared));
});

test("the same apply later leaves the time of the first", () => {
  const { object } = applyPatch(undefined, applied({ x: "1" }), options);
  const { object: again } = applyPatch(object, applied({ x: "1" }), { ...options, now: now + 60_000 });
  assert.deepEqual(again, object);
  assert.notEqual(again, object);
});

test("an update that sets nothing new leaves managedFields as they are", () => {
  const object = trackUpdate(undefined, applied({ x: "1" }), options);
  const { managedFields: _, ...metadata } = object.metadata;
  assert.deepEqual(
    trackUpdate(object, { ...object, metadata }, { ...options, manager: "b", now: now + 60_000 }),
    object,
  );
});
