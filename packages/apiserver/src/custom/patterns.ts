const known = new Map<string, RegExp>();

/**
 * A pattern as Go reads it (RE2). JavaScript reads almost all of them alike; flags in front, such as `(?i)`, are what it writes otherwise.
 * Throws a SyntaxError where it is none.
 */
export function goPattern(pattern: string): RegExp {
  const found = known.get(pattern);
  if (found) return found;
  const [whole = "", flags = ""] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const plain = pattern.slice(whole.length).replaceAll("\\A", "^").replaceAll("\\z", "$").replaceAll("(?P<", "(?<");
  const expression = compile(plain, [...new Set(flags)].join(""));
  known.set(pattern, expression);
  return expression;
}

/** By characters, not halves of them, where it can be read so: that way is stricter with escapes than Go. */
function compile(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, `u${flags}`);
  } catch {
    return new RegExp(pattern, flags);
  }
}
