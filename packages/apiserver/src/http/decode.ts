import { isUtf8 } from "node:buffer";
import {
  badRequest,
  decodeJson,
  decodeProtobuf,
  fieldFault,
  invalid,
  type KubeObject,
  parseJson,
  refuseStrict,
  summarize,
  unsupportedMediaType,
} from "@dhow/kube";

import type { Call } from "../registry/call.ts";
import type { WriteOptions } from "../registry/options.ts";
import { unknownFields } from "../registry/resource.ts";
import { readYaml, YamlSyntaxError } from "./yaml.ts";

const accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = `${token}=(?:${token}|"(?:[^"\\\\]|\\\\[^])*")`;
const parameters = new RegExp(`^(?:\\s*;\\s*${parameter})*\\s*;?\\s*$`);

/** `Content-Type` without its parameters; JSON where there is none, and nothing that anybody reads where it is malformed (mime.ParseMediaType). */
export function mediaTypeOf(contentType = ""): string {
  if (contentType === "application/json") return contentType;
  const [, type = "", rest = ""] = /^\s*([^;]*?)\s*(;.*)?$/s.exec(contentType) ?? [];
  if (!parameters.test(rest)) return "malformed";
  return type.toLowerCase() || "application/json";
}

/** Throws where nobody could read a body of this type. */
export function checkBodyType({ contentType }: Pick<Call, "contentType">): void {
  if (!accepted.includes(contentType)) throw unsupportedMediaType(accepted);
}

/** The body as text of JSON, whatever it was sent as; `expected` is the kind that a protobuf body must be of, if any one. */
export function bodyAsJson(
  call: Pick<Call, "contentType" | "body">,
  expected?: { readonly apiVersion: string; readonly kind: string },
): string {
  switch (call.contentType) {
    case "application/json":
      return textOf(call.body);
    case "application/yaml":
      return yamlAsJson(call.body, expected?.kind ?? "DeleteOptions");
    case "application/vnd.kubernetes.protobuf":
      return JSON.stringify(decodeProtobuf(call.body, expected));
    default:
      throw unsupportedMediaType(accepted);
  }
}

export function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
}

/** `kind` is what the text should hold, for the message where it is no YAML. */
function yamlAsJson(body: Uint8Array, kind: string): string {
  const text = textOf(body);
  try {
    if (!isUtf8(body)) throw new YamlSyntaxError("yaml: invalid leading UTF-8 octet");
    return JSON.stringify(readYaml(text) ?? null);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): ${error.message} (${summarize(text)})`,
    );
  }
}

/** Reads the body of a write as the kind given; what is not known is refused, told or passed over as `fieldValidation` says. */
export function decodeBody(
  call: Call,
  expected: { readonly apiVersion: string; readonly kind: string },
  fieldValidation: WriteOptions["fieldValidation"],
): KubeObject {
  if (call.contentType === "application/vnd.kubernetes.protobuf") return decodeProtobuf(call.body, expected);
  const { custom, info } = call.resource;
  const isOwnKind = custom && expected.kind === info.kind;
  const text = bodyAsJson(call, expected);
  if (isOwnKind) checkCustomKind(call, text, expected, fieldValidation);
  const { object, strict } = decodeJson(text, expected, fieldValidation !== "Ignore");
  const all = isOwnKind ? [...strict, ...unknownFields(custom, object)] : strict;
  handleStrict(call, expected, all, fieldValidation);
  return object;
}

/** Objects of custom kinds are read before it is asked what they are (customresource_handler.go, crdConversionRESTOptionsGetter). */
function checkCustomKind(
  call: Call,
  text: string,
  expected: { readonly apiVersion: string; readonly kind: string },
  fieldValidation: WriteOptions["fieldValidation"],
): void {
  let value: Partial<KubeObject> | null;
  try {
    value = parseJson(text) as Partial<KubeObject> | null;
  } catch {
    return;
  }
  const { apiVersion, kind, metadata } = value ?? {};
  if (typeof apiVersion === "string" && apiVersion !== "" && apiVersion !== expected.apiVersion) {
    // Of a version that there is not, no field is known.
    const unknown = Object.keys(value ?? {}).filter((name) => !["apiVersion", "kind", "metadata"].includes(name));
    handleStrict(
      call,
      expected,
      unknown.sort().map((name) => `unknown field "${name}"`),
      fieldValidation,
    );
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`,
    );
  }
  if (typeof kind !== "string" || kind === "" || kind === expected.kind) return;
  const fault = fieldFault.invalid("kind", kind, `must be ${expected.kind}`);
  throw invalid(call.resource.info.group, kind, metadata?.name ?? "", [fault]);
}

export function handleStrict(
  call: Call,
  expected: { readonly apiVersion: string; readonly kind: string },
  strict: readonly string[],
  fieldValidation: WriteOptions["fieldValidation"],
): void {
  if (fieldValidation === "Strict") refuseStrict(strict, expected);
  if (fieldValidation === "Warn") for (const message of strict) call.warn(message);
}
