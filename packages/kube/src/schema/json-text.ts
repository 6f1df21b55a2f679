/** JSON text as Go reads it: its messages for what is not JSON, and the fields that are given twice. */

import { quote } from "../quote.ts";

/** How deep lists and objects may lie within each other (encoding/json/scanner.go maxNestingDepth). */
const maxDepth = 10_000;

/** A fault of the text, worded as Go's encoding/json words it. */
export class JsonSyntaxError extends Error {}

function shown(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${quote(character).slice(1, -1)}'`;
}

const space = /[ \t\r\n]*/y;
// JSON forbids control characters within strings.
// oxlint-disable-next-line no-control-regex
const plainString = /"[^"\\\u0000-\u001f]*"/y;
// oxlint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f]/;
const badEscape = /\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})/;
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

  /** One value with all that is in it; without recursion, as it may be `maxDepth` deep. */
  value(): void {
    const open: Container[] = [];
    this.begin("", open);
    for (;;) {
      const container = open.at(-1);
      if (!container) return;
      const inner = this.step(container);
      if (inner === undefined) open.pop();
      else this.begin(inner, open);
    }
  }

  /** Reads a scalar, or what opens a list or an object. */
  begin(path: string, open: Container[]): void {
    const first = this.text.charAt(this.position);
    if (first === "{" || first === "[") {
      open.push({ path, closing: first === "{" ? "}" : "]", seen: new Set(), count: 0 });
      if (open.length > maxDepth) this.fail("exceeded max depth");
      this.position += 1;
    } else if (first === '"') this.string();
    else if (first === "t") this.literal("true");
    else if (first === "f") this.literal("false");
    else if (first === "n") this.literal("null");
    else this.number();
  }

  /** Goes to the next value of a container and gives its path; undefined at its end. */
  step(container: Container): string | undefined {
    const { closing, count, path, seen } = container;
    this.skipSpace();
    const next = this.text.charAt(this.position);
    if (next === closing) {
      this.position += 1;
      return undefined;
    }
    if (count > 0) {
      if (next !== ",") this.fail(closing === "}" ? "after object key:value pair" : "after array element");
      this.position += 1;
      this.skipSpace();
    }
    container.count += 1;
    if (closing === "]") return `${path}[${count}]`;
    return this.key(path, seen);
  }

  key(path: string, seen: Set<string>): string {
    if (this.text.charAt(this.position) !== '"') this.fail("looking for beginning of object key string");
    const key = this.string();
    const inner = path === "" ? key : `${path}.${key}`;
    if (seen.has(key) && !this.duplicates.includes(inner)) this.duplicates.push(inner);
    seen.add(key);
    this.skipSpace();
    if (this.text.charAt(this.position) !== ":") this.fail("after object key");
    this.position += 1;
    this.skipSpace();
    return inner;
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
    const end = endOfString(this.text, start);
    const written = this.text.slice(start + 1, end);
    if (end === this.text.length || controlCharacter.test(written) || badEscape.test(written.replaceAll("\\\\", "")))
      this.brokenString();
    this.position = end + 1;
    return JSON.parse(`"${written}"`) as string;
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
}

/** A list or an object that is being read. */
interface Container {
  readonly path: string;
  readonly closing: "}" | "]";
  readonly seen: Set<string>;
  count: number;
}

/** How many fields the objects in a JSON text have, counted by their colons. The text must be JSON. */
function fieldsInText(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0;) {
    let end = text.indexOf('"', start + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let after = end + 1;
    // Blank, tab, line feed and carriage return.
    while (text.charCodeAt(after) <= 32) after += 1;
    if (text.charCodeAt(after) === colon) count += 1;
    start = text.indexOf('"', after);
  }
  return count;
}

const backslash = 92;
const colon = 58;

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === backslash) before -= 1;
  return (at - before) % 2 === 0;
}

/** Not by recursion: what is nested may be so thousands deep. */
function fieldsInValue(value: unknown): number {
  let count = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next)) {
      for (const item of next) if (typeof item === "object") waiting.push(item);
      continue;
    }
    for (const key in next) {
      count += 1;
      const field = (next as Record<string, unknown>)[key];
      if (typeof field === "object") waiting.push(field);
    }
  }
  return count;
}

/**
 * Paths of the fields that a text gives more than once, where `value` is what `JSON.parse` makes of it. Nearly all texts have as many fields as their value, which is found out
 * far sooner than where each stands.
 */
export function duplicatesIn(text: string, value: unknown): string[] {
  return fieldsInText(text) === fieldsInValue(value) ? [] : duplicateFields(text);
}

/** Paths of fields that are given more than once (`spec.containers[0].name`), each once. Throws JsonSyntaxError where the text is not JSON. */
export function duplicateFields(text: string): string[] {
  const scanner = new Scanner(text);
  scanner.skipSpace();
  scanner.value();
  scanner.skipSpace();
  if (scanner.position < text.length) scanner.fail("after top-level value");
  return scanner.duplicates;
}

/** `JSON.parse`, with Go's message where it fails, and Go's answer to half a surrogate pair, which is no text. */
export function parseJson(text: string): unknown {
  if (text.length > maxDepth && isTooDeep(text)) duplicateFields(text);
  try {
    return JSON.parse(loneSurrogate.test(text) ? text.replace(escapes, wholeEscape) : text) as unknown;
  } catch {
    duplicateFields(text);
    throw new JsonSyntaxError("unexpected end of JSON input");
  }
}

const loneSurrogate = /\\u[dD][89a-fA-F]/;
const escapes = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;

function wholeEscape(escape: string): string {
  return escape.length === 6 ? "\\ufffd" : escape;
}

/** Whether the brackets alone say so; a cheap look, as most long texts are long strings. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Where the quote stands that ends the string which begins at `at`; the text's length where there is none. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
