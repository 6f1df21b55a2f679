import { createHash } from "node:crypto";
import { apiVersionOf } from "../resources.ts";
import type { ResourceInfo } from "../resources.ts";
import { schemaVersion } from "../schema/schema.ts";
import { PathWriter } from "./paths.ts";
import type { OperationWriter } from "./paths.ts";
import { proseVersion } from "./prose.ts";
import { SchemaCollector } from "./schemas.ts";
import type { JsonSchema } from "./schemas.ts";

const answerTexts: Readonly<Record<string, string>> = { "200": "OK", "201": "Created", "202": "Accepted" };

/** Kinds that every group has; they are told with each version that is served. */
const everywhere = ["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"];

function shareMetaKinds(schemas: Record<string, JsonSchema>, served: readonly ResourceInfo[]): void {
  for (const name of everywhere) {
    const schema = schemas[name];
    if (!schema) continue;
    const versions = new Map(served.map((info) => [apiVersionOf(info), info]));
    schema["x-kubernetes-group-version-kind"] = [...versions.values()].map(({ group, version }) => ({
      group,
      version,
      kind: name.slice(name.lastIndexOf(".") + 1),
    }));
  }
}

function v3Writer(schemas: SchemaCollector): OperationWriter {
  return {
    reference: (typeName) => schemas.reference(typeName),
    custom: (info, list) => schemas.custom(info, list),
    parameter: (name, place, type) => ({
      name,
      in: place,
      ...(place === "path" && { required: true }),
      schema: { type, uniqueItems: true },
    }),
    bodies: (types, body, answers) => ({
      ...(body && {
        requestBody: { content: Object.fromEntries(types.map((type) => [type, { schema: body }])) },
      }),
      responses: Object.fromEntries(
        Object.entries(answers).map(([code, schema]) => [
          code,
          { description: answerTexts[code] ?? "", content: { "application/json": { schema } } },
        ]),
      ),
    }),
  };
}

function v2Writer(schemas: SchemaCollector): OperationWriter {
  return {
    reference: (typeName) => schemas.reference(typeName),
    custom: (info, list) => schemas.custom(info, list),
    parameter: (name, place, type) => ({
      name,
      in: place,
      type,
      uniqueItems: true,
      ...(place === "path" && { required: true }),
    }),
    bodies: (types, body, answers) => ({
      ...(body && { consumes: types, parameters: [{ name: "body", in: "body", required: true, schema: body }] }),
      produces: ["application/json"],
      responses: Object.fromEntries(
        Object.entries(answers).map(([code, schema]) => [code, { description: answerTexts[code] ?? "", schema }]),
      ),
    }),
  };
}

function info(): { title: string; version: string } {
  return { title: "Kubernetes", version: schemaVersion().split(".").slice(0, 2).join(".") };
}

/** The key of a group and version in the index: `api/v1`, `apis/apps/v1`. */
export function openapiKey(resource: { readonly group: string; readonly version: string }): string {
  return `${resource.group === "" ? "api" : "apis"}/${apiVersionOf(resource)}`;
}

/** Changes when the document of a group and version would; it is not made for that, since an index asks for all of them. */
export function openapiHash(key: string, served: readonly ResourceInfo[]): string {
  const resources = served.filter((one) => openapiKey(one) === key);
  return createHash("sha512")
    .update(JSON.stringify([schemaVersion(), proseVersion(), key, resources]))
    .digest("hex")
    .toUpperCase();
}

/** `GET /openapi/v3`: where the documents are. */
export function openapiV3Index(served: readonly ResourceInfo[]): {
  paths: Record<string, { serverRelativeURL: string }>;
} {
  const keys = [...new Set(served.map(openapiKey))].sort();
  const paths = keys.map((key) => {
    const serverRelativeURL = `/openapi/v3/${key}?hash=${openapiHash(key, served)}`;
    return [key, { serverRelativeURL }] as const;
  });
  return { paths: Object.fromEntries(paths) };
}

/**
 * `GET /openapi/v3/<key>`: the document of one group and version (`apis/apps/v1`), of the resources that are served; undefined where
 * nothing is. With the descriptions of an installed package, where there is one.
 */
export function openapiV3(key: string, served: readonly ResourceInfo[]): Record<string, unknown> | undefined {
  const resources = served.filter((one) => openapiKey(one) === key);
  if (resources.length === 0) return undefined;
  const schemas = new SchemaCollector("v3");
  const paths = new PathWriter(v3Writer(schemas));
  for (const resource of resources) paths.add(resource);
  shareMetaKinds(schemas.schemas, served);
  return { openapi: "3.0.0", info: info(), paths: paths.paths, components: { schemas: schemas.schemas } };
}

/** `GET /openapi/v2`: everything that is served, in one document. */
export function openapiV2(served: readonly ResourceInfo[]): Record<string, unknown> {
  const schemas = new SchemaCollector("v2");
  const paths = new PathWriter(v2Writer(schemas));
  for (const resource of served) paths.add(resource);
  shareMetaKinds(schemas.schemas, served);
  return { swagger: "2.0", info: info(), paths: paths.paths, definitions: schemas.schemas };
}
