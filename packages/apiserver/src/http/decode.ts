import { badRequest, type KubeObject, unsupportedMediaType } from "@dhow/kube";
import { decodeJson, strictDecodingError } from "../algorithms.ts";
import type { Call } from "../registry/call.ts";
import type { WriteOptions } from "../registry/options.ts";

const accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** `Content-Type` without its parameters; JSON where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() || "application/json";
}

/** The body as text of JSON, whatever it was sent as. */
export function bodyAsJson(call: Pick<Call, "contentType" | "body">): string {
  const text = Buffer.from(call.body.buffer, call.body.byteOffset, call.body.byteLength).toString("utf8");
  switch (call.contentType) {
    case "application/json":
      return text;
    default:
      throw unsupportedMediaType(accepted);
  }
}

/** Reads the body of a write as the kind given; what is not known is refused, told or passed over as `fieldValidation` says. */
export function decodeBody(
  call: Call,
  expected: { readonly apiVersion: string; readonly kind: string },
  fieldValidation: WriteOptions["fieldValidation"],
): KubeObject {
  const { object, strict } = decodeJson(bodyAsJson(call), expected, fieldValidation !== "Ignore");
  handleStrict(call, expected, strict, fieldValidation);
  return object;
}

export function handleStrict(
  call: Call,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  strict: readonly string[],
  fieldValidation: WriteOptions["fieldValidation"],
): void {
  if (strict.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Warn") {
    for (const message of strict) call.warn(message);
    return;
  }
  const version = apiVersion.split("/").at(-1);
  throw badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${strictDecodingError(strict)}`,
  );
}
