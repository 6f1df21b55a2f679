import type { Reader } from "protobufjs";
import type { KubeObject } from "../objects.ts";
import { badRequest, isStatusError } from "../status.ts";
import { cannotBeHandled, otherKind } from "../schema/decode-object.ts";
import { decodeFields } from "../schema/decode.ts";
import type { FieldSchema } from "../schema/field.ts";
import { kindSchema, typeSchema } from "../schema/schema.ts";
import type { ObjectSchema, ValueSchema } from "../schema/schema.ts";
import { eachField, innerReader, readerOf } from "./reader.ts";
import { message, readScalar } from "./scalars.ts";
import { isEmbedded, messageShape } from "./shape.ts";
import type { MessageShape } from "./shape.ts";

type Fields = Record<string, unknown>;

/** Scalars that may come packed, several in one field. */
const packable = new Set(["bool", "int32", "int64", "float64"]);
const lengthDelimited = 2;

function jsonSchemaProps(): ObjectSchema {
  const schema = typeSchema("apiextensions.v1.JSONSchemaProps");
  if (!schema) throw new TypeError("the table has no JSONSchemaProps");
  return schema;
}

/** Types of a CRD's schema that are one thing or another (apiextensions/v1/types_jsonschema.go). */
function readChoice(reader: Reader, scalar: "schemaOrArray" | "schemaOrBool" | "schemaOrStringArray"): unknown {
  let schema: unknown;
  let allows = false;
  const many: unknown[] = [];
  const readSchema = (inner: Reader): unknown => readObject(innerReader(inner), jsonSchemaProps());
  if (scalar === "schemaOrBool") {
    message(reader, { 1: (inner) => (allows = inner.bool()), 2: (inner) => (schema = readSchema(inner)) });
    return schema ?? allows;
  }
  const isText = scalar === "schemaOrStringArray";
  message(reader, {
    1: (inner) => (schema = readSchema(inner)),
    2: (inner) => many.push(isText ? inner.string() : readSchema(inner)),
  });
  return schema ?? many;
}

function readValue(reader: Reader, schema: ValueSchema, wrapped: boolean): unknown {
  if (schema.form === "object") return readObject(innerReader(reader), schema.object);
  if (schema.form === "scalar") {
    const { scalar } = schema;
    if (scalar === "schemaOrArray" || scalar === "schemaOrBool" || scalar === "schemaOrStringArray") {
      return readChoice(reader, scalar);
    }
    return readScalar(reader, scalar);
  }
  const items: unknown[] = [];
  if (schema.form === "list" && wrapped) {
    message(reader, { 1: (inner) => items.push(readValue(inner, schema.element, false)) });
  }
  return items;
}

/** One entry of a map is a message of key and value. */
function readEntry(reader: Reader, into: Fields, element: ValueSchema, wrapped: boolean): void {
  let key = "";
  let value: unknown = null;
  message(reader, {
    1: (inner) => (key = inner.string()),
    2: (inner) => (value = readValue(inner, element, wrapped)),
  });
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function readField(reader: Reader, wireType: number, field: FieldSchema, into: Fields): void {
  const { value: schema, name, wrapped } = field;
  if (schema.form === "map") {
    const map = (into[name] ??= {}) as Fields;
    readEntry(reader, map, schema.element, wrapped);
    return;
  }
  if (schema.form !== "list") {
    into[name] = readValue(reader, schema, wrapped);
    return;
  }
  const list = (into[name] ??= []) as unknown[];
  const { element } = schema;
  if (wireType === lengthDelimited && element.form === "scalar" && packable.has(element.scalar)) {
    const inner = innerReader(reader);
    while (inner.pos < inner.len) list.push(readScalar(inner, element.scalar));
  } else list.push(readValue(reader, element, wrapped));
}

function readMessage(reader: Reader, shape: MessageShape, into: Fields): Fields {
  eachField(reader, (number, wireType) => {
    const field = shape.numbers.get(number);
    if (field === undefined) return false;
    if (isEmbedded(field)) readMessage(innerReader(reader), field, into);
    else readField(reader, wireType, field, into);
    return true;
  });
  return into;
}

function readObject(reader: Reader, schema: ObjectSchema): Fields {
  return readMessage(reader, messageShape(schema), {});
}

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** `k8s` and a zero byte stand before every message (apimachinery runtime/serializer/protobuf/protobuf.go). */
const magic = Buffer.from("k8s\0");

interface Envelope {
  readonly typeMeta: Kind;
  readonly raw: Uint8Array;
}

/** The envelope runtime.Unknown: what kind, and the message. */
function readEnvelope(bytes: Uint8Array): Envelope {
  const typeMeta = { apiVersion: "", kind: "" };
  let raw: Uint8Array = new Uint8Array();
  const reader = readerOf(bytes.subarray(magic.length));
  eachField(reader, (number) => {
    if (number === 2) raw = reader.bytes();
    if (number === 1) {
      message(reader, {
        1: (inner) => (typeMeta.apiVersion = inner.string()),
        2: (inner) => (typeMeta.kind = inner.string()),
      });
    }
    return number === 1 || number === 2;
  });
  return { typeMeta, raw };
}

/** Runs `read`; where the bytes end early, throws what `fail` makes of Go's words for it. */
function orFail<T>(read: () => T, fail: (cause: string) => Error): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw fail("unexpected EOF");
    // A TypeError is a fault of ours; the library throws plain Errors for wire types that do not exist.
    if (error instanceof TypeError || isStatusError(error)) throw error;
    throw fail((error as Error).message);
  }
}

function unrecognized(bytes: Uint8Array, expected: Kind | undefined, cause: string): Error {
  const begin = Buffer.from(bytes.subarray(0, 30)).toString("hex") + (bytes.length > 30 ? " ..." : "");
  const shown = bytes.length === 0 ? "<empty>" : begin;
  return badRequest(`the object provided is unrecognized (must be of type ${expected?.kind}): ${cause} (${shown})`);
}

/**
 * Reads a body of `application/vnd.kubernetes.protobuf` as client-go writes it, in the form that `decodeJson` gives: zero values, which
 * protobuf always carries, are dropped where Go's types have no pointer. `expected` is the kind that the path takes; without it any
 * built-in kind is read. Throws a StatusError (400) where the body is not such a message, or of another kind.
 */
export function decodeProtobuf(bytes: Uint8Array, expected?: Kind): KubeObject {
  const unreadable = (cause: string): Error => unrecognized(bytes, expected, cause);
  if (bytes.length === 0) throw unreadable("empty data");
  if (!magic.equals(bytes.subarray(0, magic.length))) {
    throw unreadable("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  if (bytes.length === magic.length) throw unreadable("empty body");
  const { typeMeta, raw } = orFail(() => readEnvelope(bytes), unreadable);
  const actual = {
    apiVersion: typeMeta.apiVersion || (expected?.apiVersion ?? ""),
    kind: typeMeta.kind || (expected?.kind ?? ""),
  };
  const wanted = expected ?? actual;
  const schema = kindSchema(actual.apiVersion, actual.kind);
  const isAnother = wanted.apiVersion !== actual.apiVersion || wanted.kind !== actual.kind;
  if (!schema || isAnother) throw otherKind(actual, wanted);
  return orFail(
    () => ({ ...actual, ...decodeFields(readObject(readerOf(raw), schema), schema).fields }) as unknown as KubeObject,
    (cause) => cannotBeHandled(actual, wanted, cause),
  );
}
