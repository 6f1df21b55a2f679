import type { FieldSchema } from "./field.ts";
import {
  canonicalBase64,
  canonicalMicroTime,
  canonicalTime,
  DecodeError,
  canonicalQuantity,
  zeroOf,
} from "./scalars.ts";
import { typeSchema } from "./schema.ts";
import type { ObjectSchema, Scalar, ValueSchema } from "./schema.ts";

type Fields = Record<string, unknown>;

/** Where a value stands: which field of which struct, and how many lists or maps deep within it. */
interface Place {
  readonly owner: ObjectSchema;
  readonly field: FieldSchema;
}

/** What Go adds to a struct that says nothing of a field: structs within it, and scalars without `omitempty`. */
const fillers = new WeakMap<ObjectSchema, readonly FieldSchema[]>();

function fillersOf(schema: ObjectSchema): readonly FieldSchema[] {
  const known = fillers.get(schema);
  if (known) return known;
  const found = [...schema.fields.values()].filter(({ pointer, always, value }) => {
    if (pointer) return false;
    if (value.form === "object") return true;
    if (value.form !== "scalar") return false;
    return value.scalar === "quantity" || (always && zeroOf(value.scalar) !== undefined);
  });
  fillers.set(schema, found);
  return found;
}

/** The value Go holds in a field that was not mentioned. */
function zeroValue(value: ValueSchema): unknown {
  if (value.form === "object") return fill({}, value.object);
  return value.form === "scalar" ? zeroOf(value.scalar) : undefined;
}

function fill(object: Fields, schema: ObjectSchema): Fields {
  for (const field of fillersOf(schema)) {
    if (object[field.name] === undefined) object[field.name] = zeroValue(field.value);
  }
  return object;
}

function usualGoType(type: string): string {
  if (type.startsWith("[]")) return `[]${usualGoType(type.slice(2))}`;
  if (type.startsWith("{}")) return `map[string]${usualGoType(type.slice(2))}`;
  return type === "bytes" ? "[]uint8" : type.split(".").slice(-2).join(".");
}

const aWrapping = /^(?:\[\]|map\[\w+\])/;

/** The Go type of what stands `depth` lists or maps deep in a field. */
function goTypeAt(field: FieldSchema, depth: number): string {
  let text = field.goType ?? usualGoType(field.type);
  let usual = usualGoType(field.type);
  for (let level = 0; level < depth; level += 1) {
    usual = usual.replace(aWrapping, "");
    text = aWrapping.test(text) ? text.replace(aWrapping, "") : usual;
  }
  return text;
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const limits = { int32: 2 ** 31, int64: 2 ** 63 } as const;

/** Reads plain JSON values into the shape that Go's types give them. */
class Decoder {
  readonly unknown: string[] = [];
  /** Fields, keys of maps and indices of lists that lead to the current value. */
  readonly #path: (FieldSchema | string | number)[] = [];

  /** Every value of the object, known fields only. */
  object(value: unknown, schema: ObjectSchema, place?: Place, depth = 0): Fields {
    if (!isFields(value)) return this.#mismatch(value, place, depth, `v1.${schema.shortName}`);
    const result: Fields = {};
    const { fields } = schema;
    for (const name of Object.keys(value)) {
      const field = fields.get(name);
      if (field === undefined) {
        this.unknown.push(this.#pathTo(name));
        continue;
      }
      const item = value[name];
      if (item === null || item === undefined) continue;
      this.#path.push(field);
      const decoded = this.#field(item, { owner: schema, field });
      this.#path.pop();
      if (decoded !== undefined) result[name] = decoded;
    }
    return fill(result, schema);
  }

  #field(value: unknown, place: Place): unknown {
    const { field } = place;
    const decoded = this.#value(value, field.value, place, 0);
    if (field.pointer || field.always) return decoded;
    return isEmpty(decoded, field.value) ? undefined : decoded;
  }

  #value(value: unknown, schema: ValueSchema, place: Place, depth: number): unknown {
    if (value === null) return zeroValue(schema);
    if (schema.form === "scalar") return this.#scalar(value, schema.scalar, place, depth);
    if (schema.form === "object") return this.object(value, schema.object, place, depth);
    if (schema.form === "list") {
      if (!Array.isArray(value)) return this.#mismatch(value, place, depth);
      return value.map((item, index) => this.#inner(index, item, schema.element, place, depth));
    }
    if (!isFields(value)) return this.#mismatch(value, place, depth);
    const result: Fields = {};
    for (const key of Object.keys(value)) {
      const decoded = this.#inner(key, value[key], schema.element, place, depth);
      // A key such as __proto__ must stay a key.
      if (key === "__proto__") Object.defineProperty(result, key, { value: decoded, enumerable: true });
      else result[key] = decoded;
    }
    return result;
  }

  #inner(key: string | number, value: unknown, element: ValueSchema, place: Place, depth: number): unknown {
    this.#path.push(key);
    const decoded = this.#value(value, element, place, depth + 1);
    this.#path.pop();
    return decoded;
  }

  #scalar(value: unknown, scalar: Scalar, place: Place, depth: number): unknown {
    switch (scalar) {
      case "string":
      case "duration":
        return typeof value === "string" ? value : this.#mismatch(value, place, depth);
      case "bool":
        return typeof value === "boolean" ? value : this.#mismatch(value, place, depth);
      case "int32":
      case "int64":
        return this.#integer(value, scalar, place, depth);
      case "float64":
        return typeof value === "number" ? value : this.#mismatch(value, place, depth);
      case "intOrString":
        return typeof value === "string" ? value : this.#integer(value, "int32", place, depth, "int32");
      case "bytes":
        return typeof value === "string" ? canonicalBase64(value) : this.#mismatch(value, place, depth);
      case "quantity":
        return canonicalQuantity(value);
      case "time":
        return typeof value === "string" ? canonicalTime(value) : this.#mismatch(value, place, depth, "string");
      case "microTime":
        return typeof value === "string" ? canonicalMicroTime(value) : this.#mismatch(value, place, depth, "string");
      case "schemaOrArray":
      case "schemaOrBool":
      case "schemaOrStringArray":
        return choiceOfSchema(value);
      default:
        return value;
    }
  }

  #integer(value: unknown, scalar: "int32" | "int64", place: Place, depth: number, goType?: string): number {
    const limit = limits[scalar];
    if (typeof value !== "number") return this.#mismatch(value, place, depth, goType);
    if (Number.isInteger(value) && value < limit && value >= -limit) return value;
    return this.#mismatch(value, place, depth, goType ?? scalar, `number ${value}`);
  }

  #mismatch(value: unknown, place: Place | undefined, depth: number, goType?: string, found = jsonKind(value)): never {
    if (!place) throw new DecodeError(`json: cannot unmarshal ${found} into Go value of type ${goType ?? ""}`);
    const names = this.#path
      .filter((step) => typeof step === "object")
      .map(({ name, embedded }) => (embedded === "" ? name : `${embedded}.${name}`));
    const text = place.field.goType === undefined && goType !== undefined ? goType : goTypeAt(place.field, depth);
    throw new DecodeError(
      `json: cannot unmarshal ${found} into Go struct field ${place.owner.shortName}.${names.join(".")} of type ${text}`,
    );
  }

  #pathTo(name: string): string {
    let text = "";
    for (const step of [...this.#path, name]) {
      if (typeof step === "number") text += `[${step}]`;
      else text += `${text === "" ? "" : "."}${typeof step === "string" ? step : step.name}`;
    }
    return text;
  }
}

/** JSONSchemaPropsOrBool and its kin: a schema, several of them, or something plain. Their decoders are never strict (apiextensions/v1/marshal.go). */
function choiceOfSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(choiceOfSchema);
  const schema = typeSchema("apiextensions.v1.JSONSchemaProps");
  return isFields(value) && schema ? new Decoder().object(value, schema) : value;
}

/** What Go's `omitempty` leaves out. */
function isEmpty(value: unknown, schema: ValueSchema): boolean {
  if (schema.form === "list") return (value as unknown[]).length === 0;
  if (schema.form === "map") return Object.keys(value as Fields).length === 0;
  if (schema.form === "object" || schema.scalar === "quantity") return false;
  return value === "" || value === 0 || value === false;
}

/**
 * Reads a value as one of the built-in types, the way the API server's Go types do: fields that they do not have are dropped and told,
 * nulls and empty values are left out where Go leaves them out (`omitempty`), structs that Go always writes are there (`resources: {}`).
 * The result shares no objects with the value, but for free-form parts. Throws DecodeError where a value has the wrong type.
 */
export function decodeFields(value: unknown, schema: ObjectSchema): { fields: Fields; unknown: string[] } {
  const decoder = new Decoder();
  const fields = decoder.object(value, schema);
  return { fields, unknown: decoder.unknown };
}
