/** JSON text as Go reads it: its messages for what is not JSON, and the fields that are given twice. */

/** A fault of the text, worded as Go's encoding/json words it. */
export class JsonSyntaxError extends Error {}

function shown(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

const space = /[ \t\r\n]*/y;
// JSON forbids control characters within strings.
// oxlint-disable-next-line no-control-regex
const plainString = /"[^"\\\u0000-\u001f]*"/y;
// oxlint-disable-next-line no-control-regex
const anyString = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class Scanner {
  readonly text: string;
  readonly duplicates: string[] = [];
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  skipSpace(): void {
    space.lastIndex = this.position;
    space.test(this.text);
    this.position = space.lastIndex;
  }

  fail(where: string, at = this.position): never {
    // At the end Go's scanner is given a space, which only the inside of a word refuses.
    const within = /^in (?!string literal)/.test(where);
    if (at >= this.text.length && !within) throw new JsonSyntaxError("unexpected end of JSON input");
    throw new JsonSyntaxError(`invalid character ${shown(this.text.charAt(at) || " ")} ${where}`);
  }

  value(path: string): void {
    const first = this.text.charAt(this.position);
    if (first === "{") this.object(path);
    else if (first === "[") this.array(path);
    else if (first === '"') this.string();
    else if (first === "t") this.literal("true");
    else if (first === "f") this.literal("false");
    else if (first === "n") this.literal("null");
    else this.number();
  }

  literal(word: string): void {
    for (let index = 1; index < word.length; index += 1) {
      if (this.text.charAt(this.position + index) !== word.charAt(index)) {
        this.fail(`in literal ${word} (expecting ${shown(word.charAt(index))})`, this.position + index);
      }
    }
    this.position += word.length;
  }

  number(): void {
    number.lastIndex = this.position;
    if (number.test(this.text)) {
      this.position = number.lastIndex;
      return;
    }
    if (this.text.charAt(this.position) === "-") this.fail("in numeric literal", this.position + 1);
    this.fail("looking for beginning of value");
  }

  string(): string {
    const start = this.position;
    plainString.lastIndex = start;
    if (plainString.test(this.text)) {
      this.position = plainString.lastIndex;
      return this.text.slice(start + 1, this.position - 1);
    }
    anyString.lastIndex = start;
    if (!anyString.test(this.text)) this.brokenString();
    this.position = anyString.lastIndex;
    return JSON.parse(this.text.slice(start, this.position)) as string;
  }

  brokenString(): never {
    for (let at = this.position + 1; ; at += 1) {
      const character = this.text.charAt(at);
      if (character === "" || character < " ") this.fail("in string literal", at);
      if (character !== "\\") continue;
      at += 1;
      const escape = this.text.charAt(at);
      if (!/["\\/bfnrtu]/.test(escape)) this.fail("in string escape code", at);
      const digits = escape === "u" ? 4 : 0;
      for (let digit = 0; digit < digits; digit += 1) {
        at += 1;
        if (!/[0-9a-fA-F]/.test(this.text.charAt(at))) this.fail("in \\u hexadecimal character escape", at);
      }
    }
  }

  object(path: string): void {
    const seen = new Set<string>();
    this.position += 1;
    this.skipSpace();
    if (this.text.charAt(this.position) === "}") {
      this.position += 1;
      return;
    }
    for (;;) {
      this.skipSpace();
      if (this.text.charAt(this.position) !== '"') this.fail("looking for beginning of object key string");
      const key = this.string();
      const inner = path === "" ? key : `${path}.${key}`;
      if (seen.has(key) && !this.duplicates.includes(inner)) this.duplicates.push(inner);
      seen.add(key);
      this.skipSpace();
      if (this.text.charAt(this.position) !== ":") this.fail("after object key");
      this.position += 1;
      this.skipSpace();
      this.value(inner);
      this.skipSpace();
      const next = this.text.charAt(this.position);
      if (next !== "," && next !== "}") this.fail("after object key:value pair");
      this.position += 1;
      if (next === "}") return;
    }
  }

  array(path: string): void {
    this.position += 1;
    this.skipSpace();
    if (this.text.charAt(this.position) === "]") {
      this.position += 1;
      return;
    }
    for (let index = 0; ; index += 1) {
      this.skipSpace();
      this.value(`${path}[${index}]`);
      this.skipSpace();
      const next = this.text.charAt(this.position);
      if (next !== "," && next !== "]") this.fail("after array element");
      this.position += 1;
      if (next === "]") return;
    }
  }
}

/** Paths of fields that are given more than once (`spec.containers[0].name`), each once. Throws JsonSyntaxError where the text is not JSON. */
export function duplicateFields(text: string): string[] {
  const scanner = new Scanner(text);
  scanner.skipSpace();
  scanner.value("");
  scanner.skipSpace();
  if (scanner.position < text.length) scanner.fail("after top-level value");
  return scanner.duplicates;
}

/** `JSON.parse`, with Go's message where it fails. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    duplicateFields(text);
    throw new JsonSyntaxError("unexpected end of JSON input");
  }
}
