import { quote } from "./quote.ts";

/** What is wrong with one field of an object (apimachinery/pkg/util/validation/field/errors.go). */
export interface FieldFault {
  readonly type: FieldFaultType;
  /** The path as Kubernetes writes it: `spec.template.spec.containers[0].name`, `metadata.labels[app]`. */
  readonly field: string;
  /** The offending value. Absent counts as the empty string, which is what an absent text is to the server; not shown for Required, Forbidden, TooLong and InternalError. */
  readonly value?: unknown;
  readonly detail: string;
}

/** Stands for a value that is not shown (field/errors.go OmitValueType). */
export const omittedValue: unique symbol = Symbol("omitted value");

export type FieldFaultType =
  | "Required"
  | "Invalid"
  | "NotSupported"
  | "Forbidden"
  | "Duplicate"
  | "TooLong"
  | "TooMany"
  | "NotFound"
  | "TypeInvalid"
  | "InternalError";

interface Wording {
  readonly text: string;
  /** The machine-readable reason in a Status' causes. */
  readonly cause: string;
  readonly showsValue: boolean;
}

const wordings: Readonly<Record<FieldFaultType, Wording>> = {
  Required: { text: "Required value", cause: "FieldValueRequired", showsValue: false },
  Invalid: { text: "Invalid value", cause: "FieldValueInvalid", showsValue: true },
  NotSupported: { text: "Unsupported value", cause: "FieldValueNotSupported", showsValue: true },
  Forbidden: { text: "Forbidden", cause: "FieldValueForbidden", showsValue: false },
  Duplicate: { text: "Duplicate value", cause: "FieldValueDuplicate", showsValue: true },
  TooLong: { text: "Too long", cause: "FieldValueTooLong", showsValue: false },
  TooMany: { text: "Too many", cause: "FieldValueTooMany", showsValue: true },
  NotFound: { text: "Not found", cause: "FieldValueNotFound", showsValue: true },
  TypeInvalid: { text: "Invalid value", cause: "FieldValueTypeInvalid", showsValue: true },
  InternalError: { text: "Internal error", cause: "InternalError", showsValue: false },
};

/** `Invalid value: "x": must be …`: the message without the field. */
export function faultBody(fault: FieldFault): string {
  const { text, showsValue } = wordings[fault.type];
  const omitted = fault.value === omittedValue || (fault.type === "TooMany" && fault.value === undefined);
  const parts = [text];
  if (showsValue && !omitted) parts.push(formatValue(fault.value));
  if (fault.detail) parts.push(fault.detail);
  return parts.join(": ");
}

/** `spec.selector: Required value`. */
export function formatFault(fault: FieldFault): string {
  return `${fault.field}: ${faultBody(fault)}`;
}

export function causeReason(type: FieldFaultType): string {
  return wordings[type].cause;
}

function formatValue(value: unknown): string {
  if (value === undefined) return '""';
  if (typeof value === "string") return quote(value);
  return JSON.stringify(value);
}

/** Constructors with the details that Kubernetes itself words. */
export const fieldFault = {
  required: (field: string, detail = ""): FieldFault => ({ type: "Required", field, detail }),
  invalid: (field: string, value: unknown, detail: string): FieldFault => ({ type: "Invalid", field, value, detail }),
  /** `supported` is named in the given order; the server sorts it in most places. */
  notSupported: (field: string, value: unknown, supported: readonly string[]): FieldFault => ({
    type: "NotSupported",
    field,
    value,
    detail: supported.length > 0 ? `supported values: ${supported.map(quote).join(", ")}` : "",
  }),
  forbidden: (field: string, detail: string): FieldFault => ({ type: "Forbidden", field, detail }),
  duplicate: (field: string, value: unknown): FieldFault => ({ type: "Duplicate", field, value, detail: "" }),
  notFound: (field: string, value: unknown): FieldFault => ({ type: "NotFound", field, value, detail: "" }),
  tooLong: (field: string, maximum: number): FieldFault => ({
    type: "TooLong",
    field,
    detail: `may not be more than ${maximum} bytes`,
  }),
  tooMany: (field: string, actual: number | undefined, maximum: number): FieldFault => ({
    type: "TooMany",
    field,
    ...(actual === undefined ? {} : { value: actual }),
    detail: `must have at most ${maximum} item${maximum === 1 ? "" : "s"}`,
  }),
} as const;
