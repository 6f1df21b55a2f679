import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readText } from "@dhow/kube";
import { type InProcess, startInProcess } from "../in-process.ts";

let server: InProcess;
before(async () => {
  server = await startInProcess();
});
after(() => server[Symbol.asyncDispose]());

async function series(): Promise<string[]> {
  const { body } = await server.raw("GET", "/metrics");
  return (await readText(body)).split("\n").filter((line) => line.startsWith("apiserver_request_"));
}

const counted = async () =>
  (await series())
    .map((line) => /^apiserver_request_total(\{.*\}) \d+$/.exec(line)?.[1])
    .filter((labels) => labels !== undefined);

test("requests are counted as a real server counts them: what has a route, under names that the server knows", async () => {
  const raw: InProcess["raw"] = (...request) => server.raw(...request);
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "counted" } };
  const body = JSON.stringify(configMap);
  const collection = "/api/v1/namespaces/default/configmaps";
  const json = { "content-type": "application/json" };
  const apply = { "content-type": "application/apply-patch+yaml" };
  await raw("POST", collection, { body, headers: json });
  await raw("GET", `${collection}/counted`);
  await raw("GET", collection);
  await raw("GET", "/api/v1/configmaps");
  await raw("PUT", `${collection}/none`, { body: body.replace("counted", "none"), headers: json });
  await raw("PATCH", `${collection}/counted?fieldManager=a&dryRun=All`, { body, headers: apply });
  await raw("GET", "/api/v1/namespaces/default/pods/none/log");
  await raw("GET", "/readyz?verbose");
  await raw("GET", "/nowhere");
  await raw("BREW", collection);
  await raw("GET", "/api/v1/teapots/earl-grey");
  await raw("GET", "/apis/tea.example.org/v1/teapots");
  await raw("GET", `${collection}/counted/handle`);
  // These lines are what a real 1.36 says after the same requests.
  const wanted = [
    '{code="200",component="",dry_run="",group="",resource="",scope="",subresource="/readyz",verb="GET",version=""}',
    '{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="cluster",subresource="",verb="LIST",version="v1"}',
    '{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1"}',
    '{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"}',
    '{code="200",component="apiserver",dry_run="All",group="",resource="configmaps",scope="resource",subresource="",verb="APPLY",version="v1"}',
    '{code="201",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"}',
    '{code="404",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="PUT",version="v1"}',
    '{code="404",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="log",verb="CONNECT",version="v1"}',
  ];
  assert.deepEqual((await counted()).sort(), wanted);
});

test("5,000 requests of names, verbs and paths that nobody knows add no series", async () => {
  const before = await series();
  for (let at = 0; at < 1000; at += 1) {
    await server.raw("GET", `/api/v1/namespaces/n${at}/r${at}/x`);
    await server.raw("GET", `/apis/g${at}.example.org/v${at}/r`);
    await server.raw(`VERB${at}`, "/api/v1/namespaces/default/configmaps");
    await server.raw("GET", `/p${at}/q?x=${at}`);
    await server.raw("GET", `/api/v1/namespaces/default/pods/p/s${at}`, { headers: { host: `h${at}` } });
  }
  assert.deepEqual(await series(), before);
});
