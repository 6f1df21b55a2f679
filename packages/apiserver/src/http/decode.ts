import {
  badRequest,
  decodeJson,
  decodeProtobuf,
  type KubeObject,
  refuseStrict,
  unsupportedMediaType,
} from "@dhow/kube";
import { load, YAMLException } from "js-yaml";
import type { Call } from "../registry/call.ts";
import type { WriteOptions } from "../registry/options.ts";

const accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** `Content-Type` without its parameters; JSON where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() || "application/json";
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
      return yamlAsJson(textOf(call.body), expected?.kind ?? "DeleteOptions");
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
export function yamlAsJson(text: string, kind: string): string {
  try {
    return JSON.stringify(load(text) ?? null);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const where = `yaml: line ${(error.mark?.line ?? 0) + 1}: ${error.reason} (${text.slice(0, 30)})`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${where}`);
  }
}

/** Reads the body of a write as the kind given; what is not known is refused, told or passed over as `fieldValidation` says. */
export function decodeBody(
  call: Call,
  expected: { readonly apiVersion: string; readonly kind: string },
  fieldValidation: WriteOptions["fieldValidation"],
): KubeObject {
  if (call.contentType === "application/vnd.kubernetes.protobuf") return decodeProtobuf(call.body, expected);
  const { object, strict } = decodeJson(bodyAsJson(call, expected), expected, fieldValidation !== "Ignore");
  handleStrict(call, expected, strict, fieldValidation);
  return object;
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
