import { jsonKind, rejected, unforeseen, type Fields } from "./errors.ts";
import { goFormat } from "./go-format.ts";

/** Merges an item into the old one of the same key. */
type ItemMerger = (old: Fields, item: Fields) => Fields;

/** Merges a list of scalars as a set, a list of objects by `mergeKey`; the patch's order wins over the old one. */
export function mergeLists(
  original: unknown[],
  patch: unknown[],
  mergeKey: string | undefined,
  mergeItem: ItemMerger,
): unknown[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (elementKind(original, patch) === "scalar") {
    return inOrder([...new Set([...original, ...patch])], patch, original, undefined);
  }
  if (mergeKey === undefined) throw unforeseen("cannot merge lists without merge key for struct");
  const special = carryOutDirectives(original as Fields[], patch as Fields[], mergeKey);
  return inOrder(
    mergeItems(special.original, special.patch, mergeKey, mergeItem),
    special.patch,
    special.original,
    mergeKey,
  );
}

/** Whether lists hold scalars or objects; lists of lists and mixed ones are refused. */
export function elementKind(...lists: unknown[][]): "scalar" | "object" {
  const kinds = new Set(lists.flat().map(jsonKind));
  if (kinds.size > 1) throw unforeseen(`list element types are not identical: ${goFormat(lists)}`);
  if (kinds.has("array") || kinds.has("null")) throw rejected();
  return kinds.has("object") ? "object" : "scalar";
}

/** `$patch: delete` removes the item of that key, `$patch: replace` anywhere in the list replaces the whole. */
function carryOutDirectives(original: Fields[], patch: Fields[], mergeKey: string) {
  const plain: Fields[] = [];
  let kept = original;
  let replaces = false;
  for (const item of patch) {
    const directive = item["$patch"];
    if (directive === undefined) plain.push(item);
    else if (directive === "replace") replaces = true;
    else if (directive === "delete") {
      const gone = keyOf(item, mergeKey);
      kept = kept.filter((old) => old[mergeKey] !== gone);
    } else if (directive === "merge") throw unforeseen("merging lists cannot yet be specified in the patch");
    else
      throw unforeseen(
        `unknown patch type: ${typeof directive === "number" ? `%!s(int64=${directive})` : goFormat(directive)} in map: ${goFormat(item)}`,
      );
  }
  return replaces ? { original: plain, patch: [] } : { original: kept, patch: plain };
}

function mergeItems(original: Fields[], patch: Fields[], mergeKey: string, mergeItem: ItemMerger): Fields[] {
  const merged = [...original];
  for (const item of patch) {
    const key = keyOf(item, mergeKey);
    const at = merged.findIndex((old) => old[mergeKey] === key);
    if (at < 0) merged.push(item);
    else merged[at] = mergeItem(merged[at] as Fields, item);
  }
  return merged;
}

function keyOf(item: Fields, mergeKey: string): unknown {
  if (Object.hasOwn(item, mergeKey)) return item[mergeKey];
  throw unforeseen(`map: ${goFormat(item)} does not contain declared merge key: ${mergeKey}`);
}

/**
 * Sorts merged items: those that `first` names in its order, the others in that of `live`, woven together so that an item stands before another one where it did so in `live` and `first` does not say otherwise.
 */
export function inOrder(merged: unknown[], first: unknown[], live: unknown[], mergeKey: string | undefined): unknown[] {
  const identity = (item: unknown): unknown => {
    if (mergeKey === undefined) return item;
    return keyOf(item as Fields, mergeKey);
  };
  const firstAt = positions(first.map(identity));
  const liveAt = positions(live.map(identity));
  const place = (map: Map<unknown, number>, item: unknown) => map.get(identity(item)) ?? Infinity;
  const named = merged.filter((item) => firstAt.has(identity(item)));
  const others = merged.filter((item) => !firstAt.has(identity(item)));
  named.sort((a, b) => compare(place(firstAt, a), place(firstAt, b)));
  others.sort((a, b) => compare(place(liveAt, a), place(liveAt, b)));
  const woven: unknown[] = [];
  for (const item of named) {
    while (others.length > 0 && place(liveAt, item) < Infinity && place(liveAt, others[0]) < place(liveAt, item)) {
      woven.push(others.shift());
    }
    woven.push(item);
  }
  return [...woven, ...others];
}

function positions(identities: unknown[]): Map<unknown, number> {
  const places = new Map<unknown, number>();
  identities.forEach((identity, at) => {
    if (!places.has(identity)) places.set(identity, at);
  });
  return places;
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
