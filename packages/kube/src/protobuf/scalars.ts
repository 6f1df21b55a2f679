import type { Reader } from "protobufjs";
import type { Scalar } from "../schema/schema.ts";
import { eachField, innerReader, int64 } from "./reader.ts";

type ReadField = (reader: Reader) => void;

/** Reads a small message: `fields` takes what its numbers hold. */
export function message(reader: Reader, fields: Readonly<Record<number, ReadField>>): void {
  const inner = innerReader(reader);
  eachField(inner, (number) => {
    const read = fields[number];
    read?.(inner);
    return read !== undefined;
  });
}

/** `{seconds, nanos}` as RFC 3339; the zero time is null, as Go's (apimachinery meta/v1 time_proto.go). */
function time(reader: Reader, micro: boolean): string | null {
  let seconds = 0;
  let nanos = 0;
  message(reader, { 1: (inner) => (seconds = int64(inner)), 2: (inner) => (nanos = inner.int32()) });
  if (seconds === 0 && nanos === 0) return null;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return micro ? `${text}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z` : `${text}Z`;
}

function intOrString(reader: Reader): number | string {
  let isText = false;
  let whole = 0;
  let text = "";
  message(reader, {
    1: (inner) => (isText = int64(inner) === 1),
    2: (inner) => (whole = inner.int32()),
    3: (inner) => (text = inner.string()),
  });
  return isText ? text : whole;
}

/** JSON within a message: RawExtension, FieldsV1, JSON. */
function json(reader: Reader): unknown {
  let text = "";
  message(reader, { 1: (inner) => (text = Buffer.from(inner.bytes()).toString()) });
  return text === "" ? null : (JSON.parse(text) as unknown);
}

/** Nanoseconds as Go prints a Duration, as far as whole milliseconds go: `1m30s`, `250ms`. */
function duration(reader: Reader): string {
  let nanoseconds = 0;
  message(reader, { 1: (inner) => (nanoseconds = int64(inner)) });
  const seconds = nanoseconds / 1e9;
  if (seconds !== 0 && Math.abs(seconds) < 1) return `${nanoseconds / 1e6}ms`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const long = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : "";
  return `${long}${seconds % 60}s`;
}

function quantity(reader: Reader): string {
  let text = "0";
  message(reader, { 1: (inner) => (text = inner.string() || "0") });
  return text;
}

/** One value of a scalar type, as JSON has it; null where that is null. Undefined for types that hold JSONSchemaProps. */
export function readScalar(reader: Reader, scalar: Scalar): unknown {
  switch (scalar) {
    case "string":
      return reader.string();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "bool":
      return reader.bool();
    case "int32":
      return reader.int32();
    case "int64":
      return int64(reader);
    case "float64":
      return reader.double();
    case "quantity":
      return quantity(reader);
    case "intOrString":
      return intOrString(reader);
    case "time":
      return time(reader, false);
    case "microTime":
      return time(reader, true);
    case "duration":
      return duration(reader);
    default:
      return json(reader);
  }
}
