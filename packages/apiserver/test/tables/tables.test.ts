import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  apiVersionOf,
  builtInResources,
  groupResource,
  type KubeObject,
  parseApiVersion,
  resourceByKind,
} from "@dhow/kube";
import { columnsOf, tableFor } from "../../src/tables/tables.ts";
import { type Recorded, recordColumns, recordRows, skip } from "./record.ts";

// columns.txt and rows.json are what a Kubernetes 1.36 API server answers: UPDATE_GOLDEN=1 with DHOW_TEST_KUBECONFIG records them anew.

const update = process.env["UPDATE_GOLDEN"] === "1" && !skip;
const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

// What the server itself lists: not what an extension such as the metrics server does.
const listed = builtInResources.filter((info) => info.verbs.includes("list") && info.group !== "metrics.k8s.io");

if (update) {
  test("record columns and rows", async () => {
    const paths = listed.map((info) => ({
      label: `${groupResource(info)} ${info.version}`,
      path: `${info.group ? "/apis" : "/api"}/${apiVersionOf(info)}/${info.resource}`,
    }));
    writeFileSync(fileOf("columns.txt"), await recordColumns(paths));
    const rows = await recordRows();
    writeFileSync(fileOf("rows.json"), `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
  });
}

test("every resource has the columns that a real server sends", () => {
  const lines = listed.map((info) => {
    const columns = columnsOf(info).map(({ name, type, format, priority }) => [name, type, format, priority].join("|"));
    return `${groupResource(info)} ${info.version}: ${columns.join("; ")}`;
  });
  const sorted = lines.sort((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(sorted, readFileSync(fileOf("columns.txt"), "utf8").trim().split("\n"));
});

const rows = JSON.parse(readFileSync(fileOf("rows.json"), "utf8")) as Recorded[];

for (const { now, object, cells, conditions } of rows) {
  test(`${object.kind} ${object.metadata.name} is printed as a real server prints it`, () => {
    const info = resourceByKind(object.apiVersion, object.kind);
    assert.ok(info);
    const printed = (at: number) => tableFor(info, [object], { includeObject: "None", now: at }).rows[0];
    // The server looked at its clock a moment before ours.
    const earlier = printed(now - 1000);
    const row = JSON.stringify(earlier?.cells) === JSON.stringify(cells) ? earlier : printed(now);
    assert.deepEqual(row?.cells, cells);
    assert.deepEqual(row?.conditions, conditions);
  });
}

const configMap: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1" } };
const configMaps = { group: "", version: "v1", resource: "configmaps" };

test("rows carry what of their objects was asked for", () => {
  const table = (includeObject: "None" | "Metadata" | "Object") =>
    tableFor(configMaps, [configMap], { includeObject, now: 0 }).rows[0]?.object;
  assert.equal(table("None"), null);
  assert.equal(table("Object"), configMap);
  assert.deepEqual(table("Metadata"), {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: { name: "a" },
  });
});

test("later events of a watch leave the columns out, and a list's metadata is the table's", () => {
  const options = { includeObject: "None", now: 0, columns: false, metadata: { resourceVersion: "5" } } as const;
  const table = tableFor(configMaps, [configMap], options);
  assert.equal(table.columnDefinitions, null);
  assert.deepEqual(table.metadata, { resourceVersion: "5" });
});

test("a kind that nobody knows has a name and a time", () => {
  const info = { ...parseApiVersion("example.org/v1"), resource: "boats" };
  const boat = {
    apiVersion: "example.org/v1",
    kind: "Boat",
    metadata: { name: "a", creationTimestamp: "2026-01-01T00:00:00Z" },
  };
  assert.deepEqual(tableFor(info, [boat], { includeObject: "None", now: 0 }).rows[0]?.cells, [
    "a",
    "2026-01-01T00:00:00Z",
  ]);
});
