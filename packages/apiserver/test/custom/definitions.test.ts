import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readJson } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { goPattern } from "../../src/custom/patterns.ts";
import { parseJsonPath } from "../../src/custom/json-path.ts";
import { compareVersions } from "../../src/custom/resources.ts";
import { ruleFaults } from "../../src/custom/rules.ts";
import { type ApiServer, createApiServer } from "../../src/server.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const boats = "/apis/example.com/v1/boats";

function definition(spec: object) {
  const versions = [
    { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec } } } },
  ];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.example.com" },
    spec: { group: "example.com", scope: "Cluster", names: { plural: "boats", kind: "Boat" }, versions },
  };
}

async function ask(
  server: ApiServer,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const response = await server.handle({
    method,
    path,
    headers: { "content-type": type },
    ...(body ? { body: JSON.stringify(body) } : {}),
    connection: { remoteAddress: "127.0.0.1", user: { name: "admin", groups: ["system:masters"] } },
  });
  return { status: response.status, body: await readJson(response).catch(() => undefined) };
}

const isServed = (server: ApiServer) =>
  eventually(async () => ((await ask(server, "GET", boats)).status === 200 ? true : undefined));

test("definitions are served again after a restart, and what was stored follows the schema of today", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dhow-custom-"));
  try {
    const first = await createApiServer({ folder });
    await ask(first, "POST", definitions, definition({ type: "object", properties: { old: { type: "string" } } }));
    await isServed(first);
    const spec = { old: "yes" };
    const boat = { apiVersion: "example.com/v1", kind: "Boat", metadata: { name: "one" }, spec };
    assert.equal((await ask(first, "POST", boats, boat)).status, 201);
    await first.close();

    const second = await createApiServer({ folder });
    assert.equal((await ask(second, "GET", boats)).status, 200, "it is served from the first request on");
    const next = definition({ type: "object", properties: { color: { type: "string", default: "red" } } });
    const changed = await ask(second, "PATCH", `${definitions}/boats.example.com`, { spec: next.spec });
    assert.equal(changed.status, 200);
    const shown = (await ask(second, "GET", `${boats}/one`)).body as { spec: unknown };
    assert.deepEqual(shown.spec, { color: "red" });
    await second.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a definition that goes away takes its group with it, and may come again", async () => {
  const server = await createApiServer({});
  for (const round of [1, 2]) {
    await ask(server, "POST", definitions, definition({ type: "object" }));
    await isServed(server);
    assert.equal((await ask(server, "DELETE", `${definitions}/boats.example.com`)).status, 200);
    await eventually(async () => ((await ask(server, "GET", "/apis/example.com")).status === 404 ? true : undefined));
    assert.equal((await ask(server, "GET", boats)).status, 404, `round ${round}`);
  }
  await server.close();
});

test("versions are ordered by how stable they are", () => {
  const names = ["v1alpha1", "foo", "v2", "v1beta2", "v10", "v1", "v1beta10", "bar"];
  const order = ["v10", "v2", "v1", "v1beta10", "v1beta2", "v1alpha1", "bar", "foo"];
  assert.deepEqual(names.sort(compareVersions), order);
});

test("paths lead to fields, items, and items by what they say", () => {
  const value = {
    a: { "b.c": 1 },
    list: [
      { type: "x", n: 1 },
      { type: "Ready", n: 2 },
    ],
  };
  const at = (path: string) => parseJsonPath(path)?.(value);
  assert.deepEqual(at(".list[0].n"), [1]);
  assert.deepEqual(at(".list[*].n"), [1, 2]);
  assert.deepEqual(at(".list[-1:]"), undefined);
  assert.deepEqual(at('.list[?(@.type=="Ready")].n'), [2]);
  assert.deepEqual(at(".list[?(@.type!='Ready')].n"), [1]);
  assert.deepEqual(at(".a.b\\.c"), [1]);
  assert.deepEqual(at(".a['b\\.c']"), [1]);
  assert.deepEqual(at(".nothing.there"), []);
});

test("patterns are read as Go writes them", () => {
  assert.ok(goPattern("(?i)^abc$").test("ABC"));
  assert.ok(goPattern("\\Aa\\z").test("a"));
  assert.ok(goPattern("^[\\w\\-\\.]+$").test("a-b.c"));
  assert.ok(goPattern("^(?P<name>a)$").test("a"));
  assert.throws(() => goPattern("("), SyntaxError);
});

test("rules see fields by their escaped names, and what is missing here is no fault of the object", () => {
  const schema = {
    type: "object",
    properties: { namespace: { type: "string" }, "a-b": { type: "integer" }, size: { type: "string" } },
    "x-kubernetes-validations": [
      { rule: "self.__namespace__ == 'x'" },
      { rule: "self.a__dash__b > 1", message: "small" },
      { rule: "quantity(self.size).isGreaterThan(quantity('1Gi'))" },
      { rule: "self.nothing == 1", message: "unknown" },
    ],
  };
  const faults = ruleFaults({ namespace: "y", "a-b": 1, size: "1Mi" }, undefined, schema, "spec", []);
  assert.deepEqual(
    faults.map(({ detail }) => detail),
    ["failed rule: self.__namespace__ == 'x'", "small", "rule evaluation error: No such key: nothing"],
  );
});
