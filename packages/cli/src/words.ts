import { existsSync } from "node:fs";
import { join } from "node:path";

/** `[system] [name]`, where the folder may be left out: the first word is the folder if there is a system.ts in it. */
export function splitSystem(words: readonly (string | undefined)[]): { path: string; rest: readonly string[] } {
  const given = words.filter((word) => word !== undefined);
  const [first, ...others] = given;
  const isSystem = first !== undefined && (first.endsWith("system.ts") || existsSync(join(first, "system.ts")));
  return isSystem ? { path: first, rest: others } : { path: ".", rest: given };
}
