import { typeSchema } from "@dhow/kube";
import type { FieldSchema, ObjectSchema, Scalar, ValueSchema } from "@dhow/kube";
import protobuf from "protobufjs/minimal.js";
import type { Writer } from "protobufjs";

// What client-go does, the other way round than the decoder under test, on the library's writer.

type Fields = Record<string, unknown>;

function tag(writer: Writer, number: number, wireType: number): Writer {
  return writer.uint32((number << 3) | wireType);
}

function inner(write: (writer: Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer);
  return writer.finish();
}

function time(text: string): Uint8Array {
  const micro = Number(/\.(\d{6})Z$/.exec(text)?.[1] ?? 0);
  return inner((writer) => {
    tag(writer, 1, 0).int64(Math.floor(Date.parse(text) / 1000));
    tag(writer, 2, 0).int32(micro * 1000);
  });
}

function writeScalar(writer: Writer, number: number, scalar: Scalar, value: unknown): void {
  const bytes = (content: Uint8Array): Writer => tag(writer, number, 2).bytes(content);
  if (scalar === "string") tag(writer, number, 2).string(value as string);
  else if (scalar === "bytes") bytes(Buffer.from(value as string, "base64"));
  else if (scalar === "bool") tag(writer, number, 0).bool(value as boolean);
  else if (scalar === "int32") tag(writer, number, 0).int32(value as number);
  else if (scalar === "int64") tag(writer, number, 0).int64(value as number);
  else if (scalar === "float64") tag(writer, number, 1).double(value as number);
  else if (scalar === "quantity") bytes(inner((one) => tag(one, 1, 2).string(value as string)));
  else if (scalar === "time" || scalar === "microTime") bytes(time(value as string));
  else if (scalar === "intOrString") {
    const isText = typeof value === "string";
    const content = inner((one) => {
      tag(one, 1, 0).int64(isText ? 1 : 0);
      tag(one, 2, 0).int32(isText ? 0 : (value as number));
      tag(one, 3, 2).string(isText ? value : "");
    });
    bytes(content);
  } else bytes(inner((one) => tag(one, 1, 2).bytes(Buffer.from(JSON.stringify(value)))));
}

function writeValue(writer: Writer, number: number, schema: ValueSchema, value: unknown, wrapped: boolean): void {
  if (schema.form === "scalar") writeScalar(writer, number, schema.scalar, value);
  else if (schema.form === "object") tag(writer, number, 2).bytes(encode(value as Fields, schema.object));
  else if (schema.form === "map") {
    for (const [key, one] of Object.entries(value as Fields)) {
      const entry = inner((into) => {
        tag(into, 1, 2).string(key);
        writeValue(into, 2, schema.element, one, wrapped);
      });
      tag(writer, number, 2).bytes(entry);
    }
  } else if (wrapped) {
    const items = inner((one) => {
      for (const item of value as unknown[]) writeValue(one, 1, schema.element, item, false);
    });
    tag(writer, number, 2).bytes(items);
  } else for (const item of value as unknown[]) writeValue(writer, number, schema.element, item, false);
}

/** Zero values of Go's fields without pointers are always on the wire. */
function zeroOnWire({ pointer, value }: FieldSchema): unknown {
  if (pointer || value.form !== "scalar") return undefined;
  return { string: "", bool: false, int32: 0, int64: 0 }[value.scalar as string];
}

function writeFields(object: Fields, fields: readonly FieldSchema[], depth: number): Uint8Array {
  const byNumber = Map.groupBy(fields, (field) => field.path[depth] ?? 0);
  return inner((writer) => {
    for (const [number, group] of byNumber) {
      const [first] = group;
      if (!first || number === 0) continue;
      if (first.path.length > depth + 1) {
        tag(writer, number, 2).bytes(writeFields(object, group, depth + 1));
        continue;
      }
      const value = object[first.name] ?? zeroOnWire(first);
      if (value !== undefined) writeValue(writer, number, first.value, value, first.wrapped);
    }
  });
}

/** One message of a type. */
export function encode(object: Fields, schema: ObjectSchema): Uint8Array {
  return writeFields(object, [...schema.fields.values()], 0);
}

/** A whole body: prefix, envelope, message. */
export function encodeBody(object: Fields, typeName: string): Uint8Array {
  const schema = typeSchema(typeName);
  if (!schema) throw new TypeError(typeName);
  const envelope = inner((writer) => {
    const typeMeta = inner((one) => {
      tag(one, 1, 2).string(schema.apiVersion ?? "");
      tag(one, 2, 2).string(schema.shortName);
    });
    tag(writer, 1, 2).bytes(typeMeta);
    tag(writer, 2, 2).bytes(encode(object, schema));
  });
  return Buffer.concat([Buffer.from("k8s\0"), envelope]);
}
