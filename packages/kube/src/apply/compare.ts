import { deepEqual } from "../equality.ts";
import { asMember, type FieldSet, type FieldSetBuilder, leaf, sortedDeep } from "./field-set.ts";
import { effectiveType, type ListType, type MapType, type NodeType } from "./node-type.ts";
import { fieldElement, itemElement } from "./path-element.ts";

/** What became of an object's fields. No field is in more than one of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

interface Changes {
  added?: FieldSetBuilder;
  modified?: FieldSetBuilder;
  removed?: FieldSetBuilder;
}

type Fields = Readonly<Record<string, unknown>>;

const none: Fields = {};
const noItems: readonly unknown[] = [];

/** Compares two objects field by field (structured-merge-diff/typed/compare.go). The order of lists with keys does not count. Throws an Error where an item of such a list has no key. */
export function compareObjects(old: object, updated: object, type: MapType): Comparison {
  const { added = leaf, modified = leaf, removed = leaf } = compareFields(old as Fields, updated as Fields, type);
  return { added: sortedDeep(added), modified: sortedDeep(modified), removed: sortedDeep(removed) };
}

/** At most one of the two is undefined. */
function compareNodes(old: unknown, updated: unknown, type: NodeType): Changes | undefined {
  if (old === updated) return undefined;
  const actual = effectiveType(type, updated ?? old);
  if (actual.form === "scalar" || differInForm(old, updated)) return compareLeaves(old, updated);
  const changes =
    actual.form === "map"
      ? compareMaps(old as Fields | undefined, updated as Fields | undefined, actual)
      : compareLists(old as unknown[] | undefined, updated as unknown[] | undefined, actual);
  return changes;
}

function differInForm(old: unknown, updated: unknown): boolean {
  if (old === undefined || updated === undefined) return false;
  if (old === null || updated === null || typeof old !== typeof updated) return true;
  return Array.isArray(old) !== Array.isArray(updated);
}

function compareLeaves(old: unknown, updated: unknown): Changes | undefined {
  if (old === undefined) return { added: leaf };
  if (updated === undefined) return { removed: leaf };
  return deepEqual(old, updated) ? undefined : { modified: leaf };
}

function compareMaps(old: Fields | undefined, updated: Fields | undefined, type: MapType): Changes | undefined {
  if (type.atomic || (hasNothing(old) && hasNothing(updated))) return compareLeaves(old, updated);
  return withSelf(compareFields(old ?? none, updated ?? none, type), old, updated);
}

function hasNothing(fields: Fields | undefined): boolean {
  for (const key in fields) if (fields[key] !== undefined) return false;
  return true;
}

function compareFields(old: Fields, updated: Fields, type: MapType): Changes {
  const changes: Changes = {};
  for (const key in updated) {
    const value = updated[key];
    const before = own(old, key);
    // Most fields stay as they are: their types and elements are not looked up.
    if (value === undefined || value === before) continue;
    const below = compareNodes(before, value, typeOfField(type, key));
    if (below) attach(changes, fieldElement(key), below);
  }
  for (const key in old) {
    if (old[key] === undefined || own(updated, key) !== undefined) continue;
    const below = compareNodes(old[key], undefined, typeOfField(type, key));
    if (below) attach(changes, fieldElement(key), below);
  }
  return changes;
}

function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

const scalar: NodeType = { form: "scalar", expects: undefined };

function typeOfField(type: MapType, key: string): NodeType {
  return type.field(key) ?? type.element ?? scalar;
}

function compareLists(
  old: readonly unknown[] | undefined,
  updated: readonly unknown[] | undefined,
  type: ListType,
): Changes | undefined {
  if (type.relation === "atomic" || (!old?.length && !updated?.length)) return compareLeaves(old, updated);
  const before = itemsByElement(old ?? noItems, type);
  const after = itemsByElement(updated ?? noItems, type);
  const changes: Changes = {};
  for (const [element, items] of after) compareItems(changes, element, before.get(element) ?? noItems, items, type);
  for (const [element, items] of before) {
    if (!after.has(element)) compareItems(changes, element, items, noItems, type);
  }
  return withSelf(changes, old, updated);
}

function itemsByElement(items: readonly unknown[], type: ListType): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of items) {
    const element = itemElement(type, item);
    const same = found.get(element);
    if (same) same.push(item);
    else found.set(element, [item]);
  }
  return found;
}

/** Items that share a key are one value together: they cannot be told apart. */
function compareItems(
  changes: Changes,
  element: string,
  old: readonly unknown[],
  updated: readonly unknown[],
  type: ListType,
): void {
  if (old.length <= 1 && updated.length <= 1) attach(changes, element, compareNodes(old[0], updated[0], type.element));
  else if (old.length >= 2 && updated.length >= 2) {
    if (!deepEqual(old, updated)) attach(changes, element, { modified: leaf });
  } else if (old.length >= 2) {
    if (updated.length > 0) attach(changes, element, compareNodes(undefined, updated[0], type.element));
    attach(changes, element, { removed: leaf });
  } else {
    if (old.length > 0) attach(changes, element, compareNodes(old[0], undefined, type.element));
    attach(changes, element, { added: leaf });
  }
}

/** A map or list that is wholly new or gone is so itself, too. */
function withSelf(changes: Changes, old: unknown, updated: unknown): Changes {
  if (old === undefined) changes.added = asMember(changes.added);
  else if (updated === undefined) changes.removed = asMember(changes.removed);
  return changes;
}

function attach(changes: Changes, element: string, below: Changes | undefined): void {
  if (!below) return;
  if (below.added) put((changes.added ??= {}), element, below.added);
  if (below.modified) put((changes.modified ??= {}), element, below.modified);
  if (below.removed) put((changes.removed ??= {}), element, below.removed);
}

function put(set: FieldSetBuilder, element: string, node: FieldSet): void {
  const there = set[element];
  set[element] = there ? asMember(there) : node;
}
