import { asMember, type FieldSet, type FieldSetBuilder, leaf, sortedDeep } from "./field-set.ts";
import { effectiveType, type ListType, type MapType, type NodeType } from "./node-type.ts";
import { fieldElement, itemElement } from "./path-element.ts";

type Fields = Readonly<Record<string, unknown>>;

/** All fields that an object sets (structured-merge-diff/typed/tofieldset.go): leaves, items, entries of maps; not the named fields on the way to them. */
export function fieldsOf(object: object, type: MapType): FieldSet {
  return sortedDeep(fieldsInAnyOrder(object, type));
}

/** As `fieldsOf`, for sets that are not stored. */
export function fieldsInAnyOrder(object: object, type: MapType): FieldSet {
  return fieldsOfMap(object as Fields, type) ?? leaf;
}

/** What lies at and below a value; undefined where nothing does. */
function fieldsOfValue(value: unknown, type: NodeType): FieldSet | undefined {
  const actual = effectiveType(type, value);
  if (actual.form === "scalar") return leaf;
  return actual.form === "map" ? fieldsOfMap(value as Fields, actual) : fieldsOfList(value as unknown[], actual);
}

function fieldsOfMap(fields: Fields, type: MapType): FieldSet | undefined {
  if (type.atomic) return leaf;
  let set: FieldSetBuilder | undefined;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    const named = type.field(key);
    const below = fieldsOfValue(value, named ?? type.element ?? { form: "scalar", expects: undefined });
    const node = !named || isNothing(value) ? asMember(below) : below;
    if (node) (set ??= {})[fieldElement(key)] = node;
  }
  return set;
}

/** Null and empty maps are owned themselves. */
function isNothing(value: unknown): boolean {
  return value === null || (typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0);
}

function fieldsOfList(items: readonly unknown[], type: ListType): FieldSet | undefined {
  if (type.relation === "atomic") return leaf;
  let set: FieldSetBuilder | undefined;
  for (const item of items) {
    const element = itemElement(type, item);
    // Items with one key are owned together.
    const twice = set !== undefined && Object.hasOwn(set, element);
    (set ??= {})[element] = twice ? leaf : asMember(fieldsOfValue(item, type.element));
  }
  return set;
}
