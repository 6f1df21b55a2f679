import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { builtInResources, isStatusError } from "@dhow/kube";
import type { HttpResponse } from "@dhow/kube";
import { discoveryPage } from "../../src/discovery/page.ts";

/** What a real API server 1.36.3 answers. */
const real = JSON.parse(readFileSync(new URL("real.json", import.meta.url), "utf8")) as Record<
  "aggregated" | "plain",
  Record<string, unknown>
>;

const stock = builtInResources.filter(({ group }) => group !== "metrics.k8s.io");
const page = discoveryPage(() => stock, "127.0.0.1:6443");
const aggregated = (version: string): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
/** What kubectl sends. */
const both = `${aggregated("v2")},${aggregated("v2beta1")},application/json`;

async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<HttpResponse> {
  const response = await page({ method, path, query: new URLSearchParams(), headers });
  assert.ok(response, path);
  return response;
}

async function refusal(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<number | undefined> {
  try {
    await ask(path, headers, method);
  } catch (error) {
    if (isStatusError(error)) return error.status.code;
    throw error;
  }
  return undefined;
}

for (const [path, expected] of Object.entries(real.aggregated)) {
  test(`${path} answers aggregated discovery as a real API server does`, async () => {
    const response = await ask(path, { accept: both });
    assert.equal(response.headers["content-type"], aggregated("v2"));
    assert.equal(response.headers["vary"], "Accept");
    assert.equal(response.headers["cache-control"], "public");
    assert.deepEqual(JSON.parse(response.body as string), expected);
  });
}

/** A real one stores these as v1beta1, which only this hash tells. */
const storedOtherwise = /mutatingadmissionpolic|customresourcedefinitions/;

function comparable(document: unknown): unknown {
  const copy = structuredClone(document) as { resources?: Record<string, unknown>[] };
  for (const resource of copy.resources ?? []) {
    if (storedOtherwise.test(String(resource["name"]))) delete resource["storageVersionHash"];
  }
  return copy;
}

for (const [path, expected] of Object.entries(real.plain)) {
  test(`${path} answers as a real API server does`, async () => {
    for (const one of [path, `${path}/`]) {
      const response = await ask(one);
      assert.equal(response.headers["content-type"], "application/json");
      assert.deepEqual(comparable(JSON.parse(response.body as string)), comparable(expected));
    }
  });
}

test("a client that has it already is told so", async () => {
  const { headers } = await ask("/apis", { accept: both });
  const again = await ask("/apis", { accept: both, "if-none-match": headers["etag"] ?? "" });
  assert.deepEqual([again.status, again.body, again.headers["etag"]], [304, "", headers["etag"]]);
  const stale = await ask("/apis", { accept: both, "if-none-match": '"other"' });
  assert.equal(stale.status, 200);
});

test("older clients get the beta of aggregated discovery", async () => {
  const response = await ask("/apis", { accept: `${aggregated("v2beta1")},application/json` });
  assert.equal(response.headers["content-type"], aggregated("v2beta1"));
  const { apiVersion } = JSON.parse(response.body as string) as { apiVersion: string };
  assert.equal(apiVersion, "apidiscovery.k8s.io/v2beta1");
});

test("what there is no form of is refused", async () => {
  assert.equal(await refusal("/apis", { accept: "text/html" }), 406);
  assert.equal(await refusal("/apis", { accept: aggregated("v9") }), 406);
  assert.equal((await ask("/apis", { accept: `${aggregated("v9")},application/json` })).status, 200);
  assert.equal((await ask("/apis", { accept: "*/*" })).status, 200);
});

test("what is not served is not there", async () => {
  const query = new URLSearchParams();
  for (const path of ["/apis/nope", "/apis/nope/v1", "/apis/apps/v1/deployments", "/apix", "/version"]) {
    assert.equal(await page({ method: "GET", path, query, headers: {} }), undefined, path);
  }
  assert.equal(await refusal("/apis/apps/v9"), 404);
  assert.equal(await refusal("/api/v2"), 404);
  assert.equal(await refusal("/apis/apps/v1", {}, "POST"), 405);
  assert.equal(await refusal("/api", {}, "POST"), 405);
});

test("what is served may change", async () => {
  let served = stock;
  const changing = discoveryPage(() => served, "");
  const tags: unknown[] = [];
  for (const next of [stock, stock.filter(({ resource }) => resource !== "daemonsets"), stock]) {
    served = next;
    const response = await changing({
      method: "GET",
      path: "/apis",
      query: new URLSearchParams(),
      headers: { accept: both },
    });
    tags.push(response?.headers["etag"]);
  }
  assert.notEqual(tags[0], tags[1]);
  assert.equal(tags[0], tags[2]);
});
