/**
 * Replaces `$(NAME)` by what `lookup` gives; `$$(NAME)` stands for a literal `$(NAME)`; a name that is not known, or a reference that
 * is not closed, stays as it is written (third_party/forked/golang/expansion/expand.go).
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let result = "";
  let position = 0;
  while (position < text.length) {
    const dollar = text.indexOf("$", position);
    if (dollar === -1 || dollar === text.length - 1) return result + text.slice(position);
    result += text.slice(position, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      result += "$";
      position = dollar + 2;
    } else if (next === "(") {
      const close = text.indexOf(")", dollar + 2);
      if (close === -1) {
        result += "$(";
        position = dollar + 2;
      } else {
        const name = text.slice(dollar + 2, close);
        result += lookup(name) ?? `$(${name})`;
        position = close + 1;
      }
    } else {
      result += `$${next}`;
      position = dollar + 2;
    }
  }
  return result;
}
