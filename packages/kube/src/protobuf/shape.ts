import type { FieldSchema } from "../schema/field.ts";
import type { ObjectSchema } from "../schema/schema.ts";

/** What a field number of a message means: a field, or an embedded struct that JSON lays flat. */
export type MessageField = FieldSchema | MessageShape;

/** Field numbers of one message. */
export interface MessageShape {
  readonly numbers: ReadonlyMap<number, MessageField>;
}

interface Growing extends MessageShape {
  readonly numbers: Map<number, FieldSchema | Growing>;
}

const shapes = new WeakMap<ObjectSchema, MessageShape>();

export function isEmbedded(field: MessageField): field is MessageShape {
  return "numbers" in field;
}

/** The numbers of a type's fields, from the paths of the table (`2.1`: field 1 of the embedded message 2). */
export function messageShape(schema: ObjectSchema): MessageShape {
  const known = shapes.get(schema);
  if (known) return known;
  const root: Growing = { numbers: new Map() };
  for (const field of schema.fields.values()) {
    let shape = root;
    for (const number of field.path.slice(0, -1)) {
      const next = shape.numbers.get(number);
      const inner = next && "numbers" in next ? next : { numbers: new Map<number, FieldSchema | Growing>() };
      shape.numbers.set(number, inner);
      shape = inner;
    }
    const last = field.path.at(-1);
    if (last !== undefined) shape.numbers.set(last, field);
  }
  shapes.set(schema, root);
  return root;
}
