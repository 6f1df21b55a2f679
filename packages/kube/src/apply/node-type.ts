import type { FieldSchema } from "../schema/field.ts";
import type { ObjectSchema, Scalar, ValueSchema } from "../schema/schema.ts";

/** What server-side apply must know of a value's type. */
export type NodeType = ScalarType | MapType | ListType;

export interface ScalarType {
  readonly form: "scalar";
  /** What it must be; undefined where anything may stand. */
  readonly expects: "string" | "number" | "boolean" | "scalar" | undefined;
}

export interface MapType {
  readonly form: "map";
  /** Owned as a whole. */
  readonly atomic: boolean;
  /** Type of a field that the schema names. */
  readonly field: (name: string) => NodeType | undefined;
  /** Type of all other fields; undefined where there may be none. */
  readonly element: NodeType | undefined;
}

export interface ListType {
  readonly form: "list";
  /** Owned as a whole, by value, or by the keys of its items. */
  readonly relation: "atomic" | "set" | "map";
  /** Sorted by name. */
  readonly keys: readonly { readonly name: string; readonly fallback: unknown }[];
  /** In the order of the schema. */
  readonly keyNames: readonly string[];
  readonly element: NodeType;
}

/** A leaf of any kind. */
export const anyScalar: ScalarType = { form: "scalar", expects: undefined };

const noField = () => undefined;
const untypedMap: MapType = { form: "map", atomic: false, field: noField, element: anyScalar };
/** A RawExtension, which holds what only its reader knows. */
const rawMap: MapType = { ...untypedMap, atomic: true };
const untypedList: ListType = { form: "list", relation: "atomic", keys: [], keyNames: [], element: anyScalar };

/** The type that a value has in effect: what the schema says where the value is of that form, else what the value itself looks like (lists atomic, maps field by field). */
export function effectiveType(type: NodeType, value: unknown): NodeType {
  if (typeof value !== "object" || value === null) return anyScalar;
  if (Array.isArray(value)) return type.form === "list" ? type : untypedList;
  return type.form === "map" ? type : untypedMap;
}

const objectTypes = new WeakMap<ObjectSchema, MapType>();

/** The type of a kind; of an object without a schema where there is none. */
export function typeOf(schema: ObjectSchema | undefined): MapType {
  if (!schema) return untypedMap;
  const known = objectTypes.get(schema);
  if (known) return known;
  const type = objectType(schema, schema.atomic);
  objectTypes.set(schema, type);
  return type;
}

function objectType(schema: ObjectSchema, atomic: boolean): MapType {
  const fields = new Map<string, NodeType | undefined>();
  const field = (name: string): NodeType | undefined => {
    const known = fields.get(name);
    if (known) return known;
    const found = schema.field(name);
    const type = found && fieldType(found);
    if (type) fields.set(name, type);
    return type;
  };
  return { form: "map", atomic, field, element: undefined };
}

function fieldType(field: FieldSchema): NodeType {
  const { value } = field;
  if (value.form === "list") return listType(field, value.element);
  if (value.form === "map") {
    return { form: "map", atomic: field.mapType === "atomic", field: noField, element: plainType(value.element) };
  }
  if (value.form === "object" && field.mapType && (field.mapType === "atomic") !== value.object.atomic) {
    return objectType(value.object, field.mapType === "atomic");
  }
  return plainType(value);
}

function listType(field: FieldSchema, element: ValueSchema): ListType {
  const fallback = (name: string) => (element.form === "object" ? fallbackOf(element.object.field(name)) : undefined);
  const keyNames = field.listType === "map" ? field.listKeys : [];
  return {
    form: "list",
    relation: field.listType ?? "atomic",
    keyNames,
    keys: [...keyNames].sort((a, b) => (a < b ? -1 : 1)).map((name) => ({ name, fallback: fallback(name) })),
    element: plainType(element),
  };
}

/** What an absent key counts as: the published default, which is the zero value of fields that are always written. */
function fallbackOf(field: FieldSchema | undefined): unknown {
  if (!field || field.default !== undefined) return field?.default;
  if (!field.always || field.pointer) return undefined;
  return { string: "", int32: 0, int64: 0, bool: false }[field.type];
}

function plainType(value: ValueSchema): NodeType {
  if (value.form === "scalar") return value.scalar === "raw" ? rawMap : scalarType(value.scalar);
  if (value.form === "object") return typeOf(value.object);
  if (value.form === "map") return { form: "map", atomic: false, field: noField, element: plainType(value.element) };
  return { form: "list", relation: "atomic", keys: [], keyNames: [], element: plainType(value.element) };
}

const expectations: Readonly<Partial<Record<Scalar, ScalarType["expects"]>>> = {
  string: "string",
  bytes: "string",
  time: "string",
  microTime: "string",
  duration: "string",
  bool: "boolean",
  int32: "number",
  int64: "number",
  float64: "number",
  quantity: "scalar",
  intOrString: "scalar",
};

function scalarType(scalar: Scalar): ScalarType {
  const expects = expectations[scalar];
  return expects ? { form: "scalar", expects } : anyScalar;
}
