import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { builtInResources, openapiHash, openapiV2, openapiV3, openapiV3Index } from "@dhow/kube";

type Node = Record<string, unknown>;

/** What a real API server 1.36.3 publishes for apps/v1, without prose. */
const published = JSON.parse(readFileSync(new URL("apps-v1.json", import.meta.url), "utf8")) as {
  operations: [string, string, string, string, string, boolean][];
  schemas: Record<string, Node>;
};

/** Without prose; a reference that stands in `allOf` only because of its prose stands alone. */
function withoutProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name, one]) => name !== "description" || typeof one !== "string");
  const [first, ...others] = entries;
  if (first?.[0] === "allOf" && others.length === 0) return withoutProse((first[1] as unknown[])[0]);
  const result = Object.fromEntries(entries.map(([name, one]) => [name, withoutProse(one)]));
  if (Array.isArray(result["required"])) result["required"] = result["required"].map(String).sort();
  return result;
}

function document(key: string): { paths: Record<string, Record<string, Node>>; components: { schemas: Node } } {
  return openapiV3(key, builtInResources) as ReturnType<typeof document>;
}

test("the schemas are those of a real API server", () => {
  const { schemas } = document("apis/apps/v1").components;
  for (const [name, expected] of Object.entries(published.schemas)) {
    assert.deepEqual(withoutProse(schemas[name]), expected, name);
  }
});

test("the operations are those of a real API server", () => {
  const { paths } = document("apis/apps/v1");
  const found = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== "parameters")
      .map(([method, operation]) => {
        const kind = operation["x-kubernetes-group-version-kind"] as Record<string, string>;
        const parameters = operation["parameters"] as { name: string }[];
        const validates = parameters.some(({ name }) => name === "fieldValidation");
        const names = [kind["group"], kind["version"], kind["kind"]].join("/");
        return [path, method, operation["operationId"], operation["x-kubernetes-action"], names, validates];
      }),
  );
  assert.deepEqual(found.map(String).sort(), published.operations.map(String).sort());
});

test("every reference of every document leads somewhere", () => {
  const index = openapiV3Index(builtInResources);
  assert.ok(Object.keys(index.paths).length > 20);
  for (const key of Object.keys(index.paths)) {
    const { components } = document(key);
    const text = JSON.stringify(document(key));
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      assert.ok(name && components.schemas[name], `${key}: ${name}`);
    }
  }
  const v2 = openapiV2(builtInResources) as { definitions: Node };
  for (const [, name] of JSON.stringify(v2).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    assert.ok(name && v2.definitions[name], name);
  }
});

test("descriptions come from the installed package", () => {
  const schemas = document("api/v1").components.schemas as Record<string, { description?: string; properties: Node }>;
  const container = schemas["io.k8s.api.core.v1.Container"];
  assert.ok(container);
  assert.match(container.description ?? "", /container/);
  assert.match((container.properties["image"] as { description: string }).description, /image/i);
});

test("the hash changes with what is served", () => {
  const fewer = builtInResources.filter(({ resource }) => resource !== "daemonsets");
  assert.notEqual(openapiHash("apis/apps/v1", fewer), openapiHash("apis/apps/v1", builtInResources));
  assert.equal(openapiHash("api/v1", fewer), openapiHash("api/v1", builtInResources));
  assert.equal(openapiV3("apis/nope/v1", builtInResources), undefined);
  assert.equal(document("apis/apps/v1").paths["/apis/apps/v1/daemonsets"] === undefined, false);
  assert.ok(!JSON.stringify(openapiV3("apis/apps/v1", fewer)).includes("/daemonsets"));
});
