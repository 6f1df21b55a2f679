import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { applyPatch, deepFreeze, kindSchema, type KubeObject, type Status, StatusError, trackUpdate } from "@dhow/kube";
import { fieldsOf } from "../../src/apply/fields-of.ts";
import { paths } from "../../src/apply/field-set.ts";
import { formatPath } from "../../src/apply/path-element.ts";
import { typeOf } from "../../src/apply/node-type.ts";
import { realNamespace, skip } from "../real-cluster.ts";
import { appliedOf, record, type Recorded } from "./record.ts";
import { type Scenario, scenarios, type Step } from "./scenarios.ts";

// What a Kubernetes 1.36 API server made of each step stands in recorded/: UPDATE_GOLDEN=1 with DHOW_TEST_KUBECONFIG records it anew.

const update = process.env["UPDATE_GOLDEN"] === "1" && !skip;
const fileOf = (scenario: Scenario) =>
  fileURLToPath(new URL(`recorded/${scenario.name.replaceAll(" ", "-")}.json`, import.meta.url));

/** managedFields without what differs from run to run; the fields in their order. */
function owners(object: KubeObject): string[] {
  return (object.metadata.managedFields ?? []).map((entry) => {
    const { time, ...rest } = entry;
    return JSON.stringify({ ...rest, timed: time !== undefined });
  });
}

function outcome(scenario: Scenario, step: Step, recorded: Recorded): KubeObject {
  const schema = kindSchema(scenario.apiVersion, scenario.kind);
  const { manager, subresource = "" } = step;
  const { before, after } = recorded;
  // Later than what is recorded, so that the order of writers is the same.
  const now = Date.parse(
    timesOf(after ?? before)
      .sort()
      .at(-1) ?? "2026-01-01T00:00:00Z",
  );
  if (before) deepFreeze(before);
  if (step.apply) {
    const applied = appliedOf(scenario, step, before?.metadata.namespace ?? after?.metadata.namespace ?? "");
    return applyPatch(before, deepFreeze(applied), { manager, force: step.force ?? false, subresource, now, schema })
      .object;
  }
  assert.ok(after);
  const { managedFields: _, ...metadata } = after.metadata;
  const reset = JSON.stringify(step.json ?? "").includes("managedFields") ? { managedFields: [{}] } : {};
  const written: KubeObject = { ...after, metadata: { ...metadata, ...reset } };
  return trackUpdate(before, deepFreeze(written), { manager, subresource, now, schema });
}

function timesOf(object: KubeObject | undefined): string[] {
  return (object?.metadata.managedFields ?? []).map((entry) => entry.time ?? "");
}

/** Everything that is in `part` is in `whole`. */
function assertContains(whole: unknown, part: unknown, path: string): void {
  if (typeof part !== "object" || part === null) return assert.deepEqual(whole, part, path);
  if (Array.isArray(part)) assert.equal((whole as unknown[] | undefined)?.length ?? 0, part.length, path);
  for (const [key, value] of Object.entries(part)) {
    const inner = (whole as Record<string, unknown> | undefined)?.[key];
    const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
    if (!(empty && inner === undefined)) assertContains(inner, value, `${path}.${key}`);
  }
}

function assertSame(scenario: Scenario, subresource: string | undefined, ours: KubeObject, recorded: Recorded): void {
  const { before, after } = recorded;
  assert.ok(after, `the server said ${recorded.error?.message}`);
  assert.deepEqual(owners(ours), owners(after));
  const {
    managedFields: _,
    resourceVersion: __,
    generation: ___,
    uid: ____,
    creationTimestamp: _____,
    ...metadata
  } = ours.metadata;
  // What the path cannot write is dropped after the merge.
  const { status, spec, ...rest } = ours;
  assertContains(after, subresource === "status" ? { status } : { ...rest, metadata, ...(spec ? { spec } : {}) }, "");
  const type = typeOf(kindSchema(scenario.apiVersion, scenario.kind));
  const fields = (object: KubeObject) => new Set(paths(fieldsOf(object, type)).map(formatPath));
  const left = fields(after);
  const gone = before ? [...fields(before)].filter((path) => !left.has(path)) : [];
  const kept = gone.filter((path) => !path.startsWith(".metadata.managedFields") && fields(ours).has(path));
  assert.deepEqual(kept, [], "the server removed these");
}

for (const scenario of scenarios) {
  const file = fileOf(scenario);
  if (update) {
    test(`record ${scenario.name}`, async () => {
      await using real = await realNamespace();
      mkdirSync(new URL("recorded/", import.meta.url), { recursive: true });
      writeFileSync(file, `${JSON.stringify(await record(real.client, real.namespace, scenario))}\n`);
    });
    continue;
  }
  const steps = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Recorded[]) : [];
  for (const [at, step] of scenario.steps.entries()) {
    test(`${scenario.name}: ${step.title}`, () => {
      const recorded = steps[at];
      assert.ok(recorded, `${file} has no such step: UPDATE_GOLDEN=1 records it`);
      assert.equal(recorded.title, step.title);
      let ours: KubeObject;
      try {
        ours = outcome(scenario, step, recorded);
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
        const { status } = error;
        assert.deepEqual([status.code, status.message], [recorded.error?.code, recorded.error?.message]);
        // The server's order of managers is a map's.
        const lines = (one: Status | undefined) =>
          new Set(one?.details?.causes?.map(({ reason, message, field }) => `${reason} ${message} ${field}`));
        assert.deepEqual(lines(status), lines(recorded.error));
        return;
      }
      if (recorded.error?.code === 422) return; // Refused by validation, which comes after the merge.
      assertSame(scenario, step.subresource, ours, recorded);
    });
  }
}
