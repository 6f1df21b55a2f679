import { setField } from "../equality.ts";
import { asMember, type FieldSet, type FieldSetBuilder, isEmpty, isMember } from "./field-set.ts";
import { effectiveType, type ListType, type MapType, type NodeType } from "./node-type.ts";
import { fieldElement, itemElement } from "./path-element.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The object without the members of a set; what is emptied by it goes, too (structured-merge-diff/typed/remove.go). The given object is not altered. */
export function removeFields(object: object, set: FieldSet, type: MapType): object {
  return removeFromMap(object as Fields, set, type) ?? {};
}

function removeFromValue(value: unknown, set: FieldSet, type: NodeType): unknown {
  const actual = effectiveType(type, value);
  if (actual.form === "scalar") return value;
  return actual.form === "map"
    ? removeFromMap(value as Fields, set, actual)
    : removeFromList(value as unknown[], set, actual);
}

function removeFromMap(fields: Fields, set: FieldSet, type: MapType): Fields | undefined {
  if (type.atomic) return undefined;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const node = set[fieldElement(key)];
    if (node && isMember(node)) continue;
    const fieldType = type.field(key) ?? type.element ?? { form: "scalar", expects: undefined };
    const kept = node ? removeFromValue(fields[key], node, fieldType) : fields[key];
    if (kept !== undefined) setField(result, key, kept);
  }
  return isEmpty(result as never) ? undefined : result;
}

function removeFromList(items: readonly unknown[], set: FieldSet, type: ListType): unknown[] | undefined {
  if (type.relation === "atomic") return undefined;
  const result: unknown[] = [];
  for (const item of items) {
    const node = set[itemElement(type, item)];
    if (node && isMember(node)) continue;
    const kept = node ? removeFromValue(item, node, type.element) : item;
    if (kept !== undefined) result.push(kept);
  }
  return result.length > 0 ? result : undefined;
}

/** The set with the named fields on the way to its members as members, too; entries of maps and items of lists are not added. */
export function withNamedFields(set: FieldSet, type: NodeType): FieldSet {
  const result: FieldSetBuilder = {};
  for (const element in set) {
    const node = set[element] as FieldSet;
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const named = name !== undefined && type.form === "map" ? type.field(name) : undefined;
    const below = withNamedFields(node, named ?? elementType(type));
    result[element] = named ? asMember(below) : below;
  }
  return result;
}

function elementType(type: NodeType): NodeType {
  if (type.form === "scalar") return type;
  return type.element ?? { form: "scalar", expects: undefined };
}
