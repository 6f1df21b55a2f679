import { createRequire } from "node:module";
import type { Writer } from "protobufjs";

/** Writes one value of a message's field, if there is anything to be written. */
type Write = (writer: Writer, value: unknown) => void;
/** A message: its fields by the names they have in JSON, in the order of their numbers, as Go writes them. */
type Message = () => Readonly<Record<string, Write>>;

type Fields = Readonly<Record<string, unknown>>;

const lengthDelimited = 2;
const begin = (writer: Writer, number: number, wireType = lengthDelimited): Writer =>
  writer.uint32((number << 3) | wireType);

const text =
  (number: number): Write =>
  (writer, value) =>
    void begin(writer, number).string(String(value));
const flag =
  (number: number): Write =>
  (writer, value) =>
    void begin(writer, number, 0).bool(value === true);
const whole =
  (number: number): Write =>
  (writer, value) =>
    void begin(writer, number, 0).int64(value as number);
const double =
  (number: number): Write =>
  (writer, value) =>
    void begin(writer, number, 1).double(value as number);
const each =
  (write: Write): Write =>
  (writer, values) => {
    for (const value of values as readonly unknown[]) write(writer, value);
  };

function within(writer: Writer, number: number, write: () => void): void {
  begin(writer, number).fork();
  write();
  writer.ldelim();
}

/** Any: YAML as text; JSON is YAML. */
const any =
  (number: number): Write =>
  (writer, value) =>
    within(writer, number, () => void begin(writer, 2).string(JSON.stringify(value)));

/** What the message has no field for and begins with `x-` goes, by name, into its list of extensions. */
const message =
  (number: number, fields: Message, extensions?: number): Write =>
  (writer, value) =>
    within(writer, number, () => writeFields(writer, fields, value as Fields, extensions));

function writeFields(writer: Writer, fields: Message, value: Fields, extensions: number | undefined): void {
  for (const [name, write] of Object.entries(fields())) if (value[name] !== undefined) write(writer, value[name]);
  if (extensions === undefined) return;
  for (const pair of Object.entries(value)) if (pair[0].startsWith("x-")) entry(extensions, any)(writer, pair);
}

/** A pair of name and value. */
const entry =
  (number: number, value: (number: number) => Write): Write =>
  (writer, pair) => {
    const [name, content] = pair as [string, unknown];
    within(writer, number, () => {
      begin(writer, 1).string(name);
      value(2)(writer, content);
    });
  };

/** A map, as a message that holds a list of pairs. */
const entries =
  (number: number, value: (number: number) => Write, listed = 1): Write =>
  (writer, map) =>
    within(writer, number, () => {
      for (const pair of Object.entries(map as Fields)) entry(listed, value)(writer, pair);
    });

const wrapped =
  (number: number, write: Write): Write =>
  (writer, value) =>
    within(writer, number, () => write(writer, value));

const schema = (number: number): Write => message(number, schemaFields, 31);
/** One or many: `type`, `items`. */
const many =
  (number: number, write: Write): Write =>
  (writer, value) =>
    within(writer, number, () => each(write)(writer, Array.isArray(value) ? value : [value]));
const schemaOrFlag =
  (number: number): Write =>
  (writer, value) =>
    within(writer, number, () => (typeof value === "boolean" ? flag(2) : schema(1))(writer, value));

const externalDocs = (number: number): Write => message(number, () => ({ description: text(1), url: text(2) }), 3);

const schemaFields: Message = () => ({
  $ref: text(1),
  format: text(2),
  title: text(3),
  description: text(4),
  default: any(5),
  multipleOf: double(6),
  maximum: double(7),
  exclusiveMaximum: flag(8),
  minimum: double(9),
  exclusiveMinimum: flag(10),
  maxLength: whole(11),
  minLength: whole(12),
  pattern: text(13),
  maxItems: whole(14),
  minItems: whole(15),
  uniqueItems: flag(16),
  maxProperties: whole(17),
  minProperties: whole(18),
  required: each(text(19)),
  enum: each(any(20)),
  additionalProperties: schemaOrFlag(21),
  type: many(22, text(1)),
  items: many(23, schema(1)),
  allOf: each(schema(24)),
  properties: entries(25, schema),
  externalDocs: externalDocs(29),
  example: any(30),
});

/** ParametersItem, Parameter and NonBodyParameter are each one thing or another. */
const parameter =
  (number: number): Write =>
  (writer, value) => {
    const { in: place } = value as { in: string };
    within(writer, number, () =>
      within(writer, 1, () => {
        if (place === "body") return bodyParameter(writer, value);
        return within(writer, 2, () => (place === "path" ? pathParameter : queryParameter)(writer, value));
      }),
    );
  };
const bodyParameter = message(
  1,
  () => ({ description: text(1), name: text(2), in: text(3), required: flag(4), schema: schema(5) }),
  6,
);
const plainParameter = { required: flag(1), in: text(2), description: text(3), name: text(4) };
const queryParameter = message(3, () => ({ ...plainParameter, type: text(6), uniqueItems: flag(20) }), 23);
const pathParameter = message(4, () => ({ ...plainParameter, type: text(5), uniqueItems: flag(19) }), 22);

/** ResponseValue: a response, never a reference here; its schema is a SchemaItem. */
const response = (number: number): Write =>
  wrapped(
    number,
    message(1, () => ({ description: text(1), schema: wrapped(2, schema(1)) }), 5),
  );

const operation = (number: number): Write =>
  message(
    number,
    () => ({
      description: text(3),
      operationId: text(5),
      produces: each(text(6)),
      consumes: each(text(7)),
      parameters: each(parameter(8)),
      responses: entries(9, response),
    }),
    13,
  );

const pathItem = (number: number): Write =>
  message(
    number,
    () => ({
      get: operation(2),
      put: operation(3),
      post: operation(4),
      delete: operation(5),
      options: operation(6),
      head: operation(7),
      patch: operation(8),
      parameters: each(parameter(9)),
    }),
    10,
  );

const documentFields: Message = () => ({
  swagger: text(1),
  info: message(2, () => ({ title: text(1), version: text(2) })),
  paths: entries(8, pathItem, 2),
  definitions: entries(9, schema),
});

type WriterType = typeof Writer;

/**
 * The document of `openapiV2` as the message openapi.v2.Document, which is the only form that client-go asks for
 * (github.com/google/gnostic-models openapiv2/OpenAPIv2.proto; client-go/discovery/discovery_client.go OpenAPISchema).
 */
export function openapiV2Protobuf(document: Readonly<Record<string, unknown>>): Uint8Array {
  const { Writer } = createRequire(import.meta.url)("protobufjs/minimal") as { Writer: WriterType };
  const writer = Writer.create();
  writeFields(writer, documentFields, document, 16);
  return writer.finish();
}
