import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInResources } from "@dhow/kube";
import type { HttpResponse } from "@dhow/kube";
import { openapiPage } from "../../src/openapi/page.ts";

const page = openapiPage(() => builtInResources);

async function ask(url: string, headers: Record<string, string> = {}): Promise<HttpResponse> {
  const { pathname, searchParams } = new URL(url, "http://server");
  const response = await page({ method: "GET", path: pathname, query: searchParams, headers });
  assert.ok(response, url);
  return response;
}

async function address(key: string): Promise<string> {
  const { body } = await ask("/openapi/v3");
  const index = JSON.parse(body as string) as { paths: Record<string, { serverRelativeURL: string }> };
  return index.paths[key]?.serverRelativeURL ?? "";
}

test("a document with its hash may be kept for ever", async () => {
  const response = await ask(await address("apis/apps/v1"), { accept: "application/json" });
  assert.equal(response.status, 200);
  assert.match(response.headers["cache-control"] ?? "", /immutable/);
  assert.ok((JSON.parse(response.body as string) as { components: unknown }).components);
  const again = await ask(await address("apis/apps/v1"), { "if-none-match": response.headers["etag"] ?? "" });
  assert.equal(again.status, 304);
});

test("without a hash it is served, with a stale one sent on, and what is not served is not there", async () => {
  const plain = await ask("/openapi/v3/api/v1");
  assert.equal(plain.status, 200);
  assert.equal(plain.headers["cache-control"], undefined);
  const stale = await ask("/openapi/v3/api/v1?hash=abc");
  assert.deepEqual([stale.status, stale.headers["location"]], [301, await address("api/v1")]);
  assert.equal((await ask("/openapi/v3/apis/nope/v1")).status, 404);
});

test("v2 is served as JSON and as the protobuf that client-go asks for", async () => {
  const wish = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const protobuf = await ask("/openapi/v2", { accept: wish });
  assert.equal(protobuf.status, 200);
  assert.equal(protobuf.headers["content-type"], "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  assert.ok(protobuf.body instanceof Uint8Array);
  assert.equal(
    (await ask("/openapi/v2", { accept: `${wish}, application/json` })).headers["content-type"],
    protobuf.headers["content-type"],
  );
  const etag = protobuf.headers["etag"] ?? "";
  assert.equal((await ask("/openapi/v2", { accept: wish, "if-none-match": etag })).status, 304);
  assert.equal((await ask("/openapi/v2")).headers["content-type"], "application/json");
  assert.equal((await ask("/openapi/v2", { accept: "application/yaml" })).status, 406);
});

test("v3 is served as JSON only", async () => {
  const accept = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
  assert.equal((await ask("/openapi/v3/api/v1", { accept })).status, 406);
});

test("other paths are not its own", async () => {
  assert.equal(await page({ method: "GET", path: "/version", query: new URLSearchParams(), headers: {} }), undefined);
});
