import { messageOf } from "@dhow/base";
import {
  applyPatch,
  badRequest,
  DecodeError,
  decodeKind,
  jsonKind,
  type KubeObject,
  parseApiVersion,
} from "@dhow/kube";
import { textOf } from "../http/decode.ts";
import { readYaml, YamlSyntaxError } from "../http/yaml.ts";
import type { Call } from "./call.ts";
import { schemaOf } from "./managed.ts";
import { parseWriteOptions } from "./options.ts";
import { plainFailure } from "./revision.ts";
import type { ObjectAnswer, Registry } from "./registry.ts";
import { updateObject } from "./update.ts";

/** Server-side apply (apiserver/pkg/endpoints/handlers/patch.go applyPatcher): creates what is not there. */
export async function applyObject(registry: Registry, call: Call): Promise<ObjectAnswer> {
  const options = parseWriteOptions("PatchOptions", call.query, true);
  const applied = appliedOf(call);
  const lay = (current: KubeObject | undefined) => decoded(call, applyTo(registry, call, current, applied, options));
  return updateObject(registry, call, {
    options,
    optionsKind: "PatchOptions",
    tracked: true,
    produce: (current) => lay(current),
    create: () => lay(undefined),
  });
}

/** @param current in the version of the call; undefined where nothing is there. Gives what it becomes, managedFields included. */
export function applyTo(
  { clock }: Pick<Registry, "clock">,
  { resource, subresource }: Call,
  current: KubeObject | undefined,
  applied: KubeObject,
  options: { readonly fieldManager: string; readonly force: boolean },
): KubeObject {
  const { object } = applyPatch(current, applied, {
    manager: options.fieldManager,
    force: options.force,
    subresource,
    now: clock.now(),
    schema: schemaOf(resource),
    type: resource.custom?.type,
  });
  return object;
}

function appliedOf(call: Call): KubeObject {
  const { apiVersion, info } = call.resource;
  const applied = appliedValue(call);
  const { group, version } = parseApiVersion(textIn(applied.apiVersion));
  if (applied.kind !== info.kind || group !== info.group) {
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${textIn(applied.kind)}`);
  }
  return { ...applied, apiVersion: textIn(applied.apiVersion) || apiVersion, metadata: applied.metadata ?? {} };
}

/** What is no text counts as none (apimachinery/pkg/apis/meta/v1/unstructured NestedString). */
function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The body of an apply, which is YAML and so may be JSON. */
export function appliedValue(call: Pick<Call, "body">): KubeObject {
  let value: unknown;
  try {
    value = readYaml(textOf(call.body));
  } catch (error) {
    if (error instanceof YamlSyntaxError) throw badRequest(`error decoding YAML: ${messageOf(error)}`);
    throw error;
  }
  if (typeof value === "object" && !Array.isArray(value)) return (value ?? {}) as KubeObject;
  const wrong = `cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: json: ${wrong}`);
}

function decoded({ resource }: Call, object: KubeObject): KubeObject {
  if (resource.custom) return object;
  try {
    return decodeKind(object, { apiVersion: resource.apiVersion, kind: resource.info.kind }).object;
  } catch (error) {
    if (error instanceof DecodeError) throw plainFailure(error.message);
    throw error;
  }
}
