import type { Schema } from "./schema.ts";

type Fields = Record<string, unknown>;

/** A value as CEL has it by its schema: whole numbers are `int`, times are timestamps (apiserver/pkg/cel/common/values.go). */
export function celValue(value: unknown, schema: Schema | undefined): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items));
  if (typeof value === "object") return celObject(value as Fields, schema);
  if (typeof value === "number") return schema?.type !== "number" && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === "string" && (schema?.format === "date-time" || schema?.format === "date"))
    return new Date(value);
  return value;
}

const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** A field's name as rules write it (apiserver/pkg/cel/escaping.go): `namespace` is `__namespace__`, `a-b` is `a__dash__b`. */
function escaped(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll("__", "__underscores__")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
}

function celObject(value: Fields, schema: Schema | undefined): Fields {
  const { additionalProperties, properties = {} } = schema ?? {};
  const result: Fields = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const of = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    // Keys of maps are values; names of fields are words of the language.
    result[Object.hasOwn(properties, key) ? escaped(key) : key] = celValue(
      item,
      typeof of === "object" ? of : undefined,
    );
  }
  return result;
}
