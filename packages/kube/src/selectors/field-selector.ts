/** One condition on a field: `spec.nodeName=node-1`. Which fields a resource knows is the server's to say. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/**
 * Reads the `fieldSelector` of a request: `status.phase!=Running,metadata.name=a`. Throws an Error with the server's words
 * (apimachinery/pkg/fields/selector.go).
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const terms = text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? [];
  return terms.map((term) => {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = "", operator, value = ""] = match;
    return { field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) };
  });
}

function unescapeValue(value: string): string {
  return value.replace(/\\(.?)|[,=]/gs, (all, escaped: string | undefined) => {
    if (escaped === undefined)
      throw new Error(`invalid field selector: unescaped character in value: ${all.codePointAt(0)}`);
    if (escaped === "" || !"\\,=".includes(escaped))
      throw new Error(`invalid field selector: invalid escape sequence: ${all}`);
    return escaped;
  });
}

/** Writes a value so that it stands for itself in a field selector. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, (character) => `\\${character}`);
}

/** Whether fields, as `valueOf` tells them (empty where unset), fulfil all requirements. */
export function matchesFields(requirements: readonly FieldRequirement[], valueOf: (field: string) => string): boolean {
  return requirements.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === "="));
}
