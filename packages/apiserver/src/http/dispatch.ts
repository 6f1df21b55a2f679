import {
  badRequest,
  type HttpResponse,
  DecodeError,
  decodeFields,
  JsonSyntaxError,
  methodNotAllowed,
  notAnObject,
  notFound,
  parseJson,
  quote,
  typeSchema,
  unknownMethod,
} from "@dhow/kube";
import { createObject } from "../registry/create.ts";
import { parseDeleteOptions } from "../registry/delete-options.ts";
import { deleteObject } from "../registry/delete.ts";
import { listPage, selectAll } from "../registry/list.ts";
import { parseWriteOptions } from "../registry/options.ts";
import { patchObject } from "../registry/patch.ts";
import type { Call } from "../registry/call.ts";
import type { ObjectAnswer, Registry } from "../registry/registry.ts";
import { requestedKey, served, servedText } from "../registry/resource.ts";
import { parseRevision, plainFailure, tooLargeRevision } from "../registry/revision.ts";
import { checkNames, updateObject } from "../registry/update.ts";
import { openWatch } from "../registry/watch.ts";
import { mayCreateOnUpdate } from "../registry/write-rules.ts";
import { bodyAsJson, checkBodyType, decodeBody } from "./decode.ts";
import { negotiate } from "./negotiation.ts";
import { type Renderer, renderList, renderObject } from "./render.ts";
import { watchFormat } from "./watch-format.ts";

export interface Exchange {
  readonly registry: Registry;
  readonly renderer: Renderer;
  readonly call: Call;
  readonly verb: string;
  readonly method: string;
  readonly accept: string | undefined;
}

/** Verbs on a resource itself and on its `status`. */
export async function serveResource(exchange: Exchange): Promise<HttpResponse> {
  const { call, verb, registry, renderer, accept } = exchange;
  const { resource } = call;
  const offered = call.subresource === "" ? resource.info.verbs : ["get", "patch", "update"];
  if (!offered.includes(verb) || exchange.method === "HEAD") throw unknownMethod();
  if (verb !== "list" && verb !== "watch" && verb !== "deletecollection") {
    const named = call.name !== "";
    if (named === (verb === "create") || (resource.info.namespaced && call.namespace === undefined))
      throw unknownMethod();
    const how = negotiate(accept, call.query, false);
    const answer = await objectVerbs[verb]?.(exchange);
    if (!answer) throw methodNotAllowed(resource.name, verb);
    return renderObject(renderer, resource, answer, how);
  }
  const how = negotiate(accept, call.query, true);
  if (verb === "list") return renderList(renderer, resource, listPage(registry.storage, call), how);
  if (verb === "watch") {
    const format = watchFormat(renderer, resource, how);
    const { body, events, cut } = openWatch(registry.storage, registry.clock, call, format);
    const shared = how.as === "object" ? { events } : {};
    return { status: 200, headers: { "content-type": "application/json" }, body, cut, ...shared };
  }
  return renderList(renderer, resource, await deleteCollection(exchange), how);
}

const objectVerbs: Readonly<Record<string, (exchange: Exchange) => ObjectAnswer | Promise<ObjectAnswer>>> = {
  get: getObject,
  create({ registry, call }) {
    checkBodyType(call);
    const options = parseWriteOptions("CreateOptions", call.query);
    return createObject(registry, call, decodeBody(call, kindOf(call), options.fieldValidation), options);
  },
  update({ registry, call }) {
    const options = parseWriteOptions("UpdateOptions", call.query);
    const decode = () => decodeBody(call, kindOf(call), options.fieldValidation);
    // Decoded anew for each try, as a write may alter what it was given; its warnings are told once.
    let first: ReturnType<typeof decode> | undefined = decode();
    checkNames(call, first);
    const produce = () => {
      const object = first ?? decodeBody(call, kindOf(call), "Ignore");
      first = undefined;
      return object;
    };
    const create = mayCreateOnUpdate(call.resource) ? produce : undefined;
    return updateObject(registry, call, { options, optionsKind: "UpdateOptions", produce, create });
  },
  patch: ({ registry, call }) => patchObject(registry, call),
  delete: ({ registry, call }) => deleteObject(registry, call, deleteOptions(call)),
};

function kindOf({ resource }: Call): { apiVersion: string; kind: string } {
  return { apiVersion: resource.apiVersion, kind: resource.info.kind };
}

function getObject({ registry, call }: Exchange): ObjectAnswer {
  const { resource, namespace, name, query } = call;
  const version = query.get("resourceVersion") ?? "";
  const wanted =
    parseRevision(version, (message) =>
      plainFailure(`resourceVersion: Invalid value: ${quote(version)}: ${message}`),
    ) ?? 0;
  if (wanted > registry.storage.revision) throw tooLargeRevision(version, registry.storage.revision);
  const stored = registry.storage.get(resource.storedAs, requestedKey(resource, namespace, name));
  if (!stored) throw notFound(resource.name, name);
  return { status: 200, object: served(resource, stored), text: servedText(resource, stored) };
}

function deleteOptions(call: Call) {
  if (call.body.byteLength === 0) return parseDeleteOptions(undefined, call.query);
  let body: unknown;
  try {
    body = parseJson(bodyAsJson(call));
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    throw error;
  }
  const { kind, apiVersion } = kindIn(body);
  if (kind !== undefined && kind !== "DeleteOptions") {
    const names = `${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion ?? "")}`;
    throw badRequest(`no kind ${names} in scheme "pkg/runtime/scheme.go:111"`);
  }
  try {
    const { fields } = decodeFields(body ?? {}, deleteOptionsSchema());
    return parseDeleteOptions(fields, call.query);
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}

function deleteOptionsSchema() {
  const schema = typeSchema("meta.v1.DeleteOptions");
  if (!schema) throw new TypeError("the table has no DeleteOptions");
  return schema;
}

/** Throws 400 where the value is nothing that could have a kind. */
function kindIn(body: unknown): { readonly kind?: unknown; readonly apiVersion?: unknown } {
  const wrong = notAnObject(body);
  if (wrong) throw badRequest(`couldn't get version/kind; json parse error: ${wrong}`);
  return body ?? {};
}

/** Deletes each that is selected; what another deleted meanwhile counts as done. */
async function deleteCollection({ registry, call }: Exchange) {
  const options = deleteOptions(call);
  const page = selectAll(registry.storage, call);
  await Promise.all(
    page.items.map(async ({ object }) => {
      const { name = "", namespace } = object.metadata;
      try {
        await deleteObject(registry, { ...call, name, namespace }, options);
      } catch (error) {
        if ((error as { reason?: string }).reason !== "NotFound") throw error;
      }
    }),
  );
  return page;
}
