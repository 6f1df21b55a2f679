import { type Fields, isFields, unforeseen } from "./errors.ts";
import { goFormat } from "./go-format.ts";
import { inOrder } from "./merge-lists.ts";
import { withoutDirectives } from "./new-values.ts";

/**
 * Carries out `$setElementOrder/x`, together with the patch's own list `x`, and takes both out of the patch. The directive's order wins over the live one.
 */
export function applyElementOrder(
  original: Fields,
  patch: Fields,
  directive: string,
  mergeKey: string | undefined,
  merge: (live: unknown[], changes: unknown[]) => unknown[],
): void {
  const order = patch[directive];
  delete patch[directive];
  if (!Array.isArray(order)) throw unforeseen(`expected a []interface {}, but received a ${goType(order)}`);
  const name = directive.slice(directive.indexOf("/") + 1);
  const live = listOf(original, name);
  const changes = listOf(patch, name);
  if (changes) checkOrder(changes, order, mergeKey);
  if (!live && !changes) return;
  let merged = live ?? [];
  if (changes && !live) merged = withoutDirectives(changes) as unknown[];
  else if (changes && live) merged = merge(live, changes);
  original[name] = inOrder(merged, order, live ?? [], mergeKey);
  delete patch[name];
}

function listOf(fields: Fields, name: string): unknown[] | undefined {
  if (!Object.hasOwn(fields, name)) return undefined;
  const list = fields[name];
  if (!Array.isArray(list)) throw unforeseen(`expected a []interface {}, but received a ${goType(list)}`);
  return list;
}

/** The patch's items must stand in the order that the directive sets, and all be named by it. */
function checkOrder(changes: unknown[], order: unknown[], mergeKey: string | undefined): void {
  if (order.length === 0 || changes.length === 0) return;
  const identity = (item: unknown): unknown => (mergeKey === undefined ? item : isFields(item) && item[mergeKey]);
  let at = 0;
  for (const item of changes) {
    if (isFields(item) && Object.hasOwn(item, "$patch")) continue;
    while (at < order.length && identity(order[at]) !== identity(item)) at += 1;
    if (at >= order.length) {
      const lists = `${goFormat(changes)}\n doesn't match $setElementOrder list:\n${goFormat(order)}`;
      throw unforeseen(`The order in patch list:\n${lists}\n`);
    }
    at += 1;
  }
}

function goType(value: unknown): string {
  if (value === null) return "%!s(<nil>)";
  if (isFields(value)) return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : typeof value;
}
