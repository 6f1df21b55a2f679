import { setField } from "../equality.ts";
import { effectiveType, type ListType, type MapType, type NodeType } from "./node-type.ts";
import { itemElement } from "./path-element.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Lays an applied configuration over a live object (structured-merge-diff/typed/merge.go): what it says wins, what it does not mention stays. Neither is altered. */
export function mergeApplied(live: object, applied: object, type: MapType): object {
  return mergeMaps(live as Fields, applied as Fields, type);
}

function mergeNodes(live: unknown, applied: unknown, type: NodeType): unknown {
  if (live === undefined) return applied;
  const actual = effectiveType(type, applied);
  if (actual.form === "map" && !actual.atomic && isMap(live)) return mergeMaps(live, applied as Fields, actual);
  if (actual.form === "list" && actual.relation !== "atomic" && Array.isArray(live)) {
    return mergeLists(live, applied as unknown[], actual);
  }
  return applied;
}

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mergeMaps(live: Fields, applied: Fields, type: MapType): Fields {
  const result: Record<string, unknown> = { ...live };
  for (const key of Object.keys(applied)) {
    const fieldType = type.field(key) ?? type.element ?? { form: "scalar", expects: undefined };
    const old = Object.hasOwn(live, key) ? live[key] : undefined;
    if (applied[key] !== undefined) setField(result, key, mergeNodes(old, applied[key], fieldType));
  }
  return result;
}

/**
 * Items of both in one list: those that are applied in the order in which they are applied, those that are only live where they stood between the others.
 */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], type: ListType): unknown[] {
  const liveElements = live.map((item) => itemElement(type, item));
  const appliedElements = applied.map((item) => itemElement(type, item));
  const isApplied = new Set(appliedElements);
  const liveItems = itemsByElement(live, liveElements);
  const shared = appliedElements.filter((element) => liveItems.has(element));
  const merged = new Set<string>();
  const result: unknown[] = [];
  const takeApplied = (at: number) => {
    const element = appliedElements[at] as string;
    merged.add(element);
    result.push(mergeNodes(liveItems.get(element), applied[at], type.element));
    if (shared[0] === element) shared.shift();
  };
  let left = 0;
  let right = 0;
  while (left < live.length || right < applied.length) {
    const element = liveElements[left];
    if (element !== undefined && right < applied.length) {
      if (element === appliedElements[right]) {
        takeApplied(right++);
        left += 1;
        continue;
      }
      // A shared item, but another one is next: it comes where the applied list has it.
      if (isApplied.has(element) && shared.length > 0 && shared[0] !== element) {
        left += 1;
        continue;
      }
    }
    if (element !== undefined && !isApplied.has(element)) {
      result.push(live[left]);
      left += 1;
      continue;
    }
    if (element !== undefined && merged.has(element)) left += 1;
    if (right < applied.length) takeApplied(right++);
  }
  return result;
}

/** Items that share a key cannot be merged with: they are undefined. */
function itemsByElement(items: readonly unknown[], elements: readonly string[]): Map<string, unknown> {
  const found = new Map<string, unknown>();
  items.forEach((item, at) => {
    const element = elements[at] as string;
    found.set(element, found.has(element) ? undefined : item);
  });
  return found;
}
