import assert from "node:assert/strict";

/** Fields that are named; patterns for text; lists as they are, since one of nothing names no field. */
export function compare(actual: unknown, wanted: unknown): void {
  if (wanted instanceof RegExp) assert.match(String(actual), wanted);
  else if (Array.isArray(wanted)) assert.deepEqual(actual, wanted);
  else if (typeof wanted !== "object" || wanted === null) assert.equal(actual, wanted);
  else for (const [key, value] of Object.entries(wanted)) compare((actual as Record<string, unknown>)[key], value);
}
