const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};
const special = /[<>&\u2028\u2029]/g;

/**
 * JSON as Go's encoding/json writes it, and so every API server: these characters stand within strings only, and are escaped there.
 * Clients that compare raw JSON (the controllers with their ControllerRevisions) take any other text for another value.
 */
export function goJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(special, (character) => escapes[character] ?? character);
}
