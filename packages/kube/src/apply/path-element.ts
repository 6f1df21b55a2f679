import { goFormat } from "../patch/go-format.ts";
import { quote } from "../quote.ts";
import type { ListType } from "./node-type.ts";

// Path elements as fieldsV1 writes them: structured-merge-diff/fieldpath/serialize-pe.go.

const elements = new Map<string, string>();
/** Names of fields are few and come again; those of labels and data need not be kept for ever. */
const mostElements = 4096;

export function fieldElement(name: string): string {
  const known = elements.get(name);
  if (known !== undefined) return known;
  if (elements.size >= mostElements) elements.clear();
  const element = `f:${name}`;
  elements.set(name, element);
  return element;
}

/** The element of an item in a list that is a set or has keys. Throws an Error with the server's words where the item has none. */
export function itemElement(list: ListType, item: unknown): string {
  return list.relation === "set" ? valueElement(item) : keyElement(list, item);
}

function valueElement(item: unknown): string {
  if (item === null) throw new Error("associative list without keys has an element that's an explicit null");
  if (Array.isArray(item)) throw new Error("not supported: associative list with lists as elements");
  if (typeof item === "object") throw new Error("associative list without keys has an element that's a map type");
  return `v:${JSON.stringify(item)}`;
}

function keyElement(list: ListType, item: unknown): string {
  if (item === null) throw new Error("associative list with keys may not have a null element");
  if (typeof item !== "object" || Array.isArray(item)) {
    throw new Error("associative list with keys may not have non-map elements");
  }
  let element = "";
  for (const { name, fallback } of list.keys) {
    const value = (item as Record<string, unknown>)[name] ?? fallback;
    if (value !== undefined) element += `${element && ","}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  if (element) return `k:{${element}}`;
  const names = list.keyNames.map(quote).join(" ");
  throw new Error(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}

const ranks: Readonly<Record<string, number>> = { ".": 0, f: 1, k: 2, v: 3, i: 4 };

/** The order of elements: fields by name, keys and values by what they hold (numbers before texts), indexes by number. */
export function compareElements(a: string, b: string): number {
  const kind = a[0] as string;
  if (kind !== b[0]) return (ranks[kind] ?? 5) - (ranks[b[0] as string] ?? 5);
  if (kind === "k" || kind === "v" || kind === "i")
    return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) return compareKeys(a, b);
  const [left, right] = [goFormat(a), goFormat(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function compareKeys(a: object, b: object): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [[leftName, leftValue], [rightName, rightValue]] = [
      left[at] as [string, unknown],
      right[at] as [string, unknown],
    ];
    if (leftName !== rightName) return leftName < rightName ? -1 : 1;
    const order = compareValues(leftValue, rightValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** A path as messages show it: `.spec.containers[name="a"].image`, `.metadata.finalizers[="x"]`. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join("");
}

export function formatElement(element: string): string {
  const content = element.slice(2);
  if (element.startsWith("f:")) return `.${content}`;
  if (element.startsWith("i:")) return `[${content}]`;
  if (element.startsWith("v:")) return `[=${formatValue(JSON.parse(content))}]`;
  const keys = Object.entries(JSON.parse(content) as Record<string, unknown>);
  return `[${keys.map(([name, value]) => `${name}=${formatValue(value)}`).join(",")}]`;
}

function formatValue(value: unknown): string {
  return typeof value === "string" ? quote(value) : String(value);
}
