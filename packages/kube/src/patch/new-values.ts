import { setField } from "../equality.ts";
import { isFields } from "./errors.ts";

/** What may stand in a new value: no directives; undefined where the value as a whole is one. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isFields(value)) return value;
  if (Object.hasOwn(value, "$patch")) return undefined;
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]);
    if (kept === undefined) delete value[key];
    else setField(value, key, kept);
  }
  return value;
}

/** Nulls mean nothing in what is new. */
export function discardNulls(value: unknown): void {
  if (Array.isArray(value)) value.forEach(discardNulls);
  if (!isFields(value)) return;
  for (const key of Object.keys(value)) {
    if (value[key] === null) delete value[key];
    else discardNulls(value[key]);
  }
}
