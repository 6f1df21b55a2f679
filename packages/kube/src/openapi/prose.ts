import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What the installed package says of one type and of its fields. */
export interface Prose {
  readonly text: string | undefined;
  readonly fields: ReadonlyMap<string, string>;
}

interface Growing {
  text: string | undefined;
  fields: Map<string, string>;
}

const nothing: Prose = { text: undefined, fields: new Map() };
const files = new Map<string, ReadonlyMap<string, Prose>>();
let folder: string | undefined | null = null;

/** Where the package `kubernetes-types` is: its declarations carry the API's own descriptions as comments. Undefined where it is not installed. */
function packageFolder(): string | undefined {
  if (folder !== null) return folder;
  try {
    folder = dirname(createRequire(import.meta.url).resolve("kubernetes-types/package.json"));
  } catch {
    folder = undefined;
  }
  return folder;
}

const aType = /^export (?:interface|type) (\w+)/;
const aField = /^ {4}(?:readonly )?"?([\w$-]+)"?\??: /;
const commentEnd = /\*\/\s*$/;

/** The text of a comment, without its stars. */
function plain(comment: readonly string[]): string {
  return comment
    .map((line) =>
      line
        .replace(/^\s*\/\*\*\s?|^\s*\* ?/, "")
        .replace(commentEnd, "")
        .trimEnd(),
    )
    .join("\n")
    .trim();
}

function parse(text: string): ReadonlyMap<string, Prose> {
  const types = new Map<string, Growing>();
  let type: Growing | undefined;
  let comment: string[] = [];
  let within = false;
  for (const line of text.split("\n")) {
    if (within || /^\s*\/\*\*/.test(line)) {
      if (!within) comment = [];
      comment.push(line);
      within = !commentEnd.test(line);
      continue;
    }
    const name = aType.exec(line)?.[1];
    const field = aField.exec(line)?.[1];
    const said = comment.length > 0 ? plain(comment) : undefined;
    if (name !== undefined) types.set(name, (type = { text: said, fields: new Map() }));
    else if (field !== undefined && said !== undefined) type?.fields.set(field, said);
    comment = [];
  }
  return types;
}

/** The declarations of `core.v1` are in `core/v1.d.ts`. */
function proseOf(home: string): ReadonlyMap<string, Prose> {
  const known = files.get(home);
  if (known) return known;
  let types: ReadonlyMap<string, Prose> = new Map();
  const where = packageFolder();
  try {
    if (where !== undefined) types = parse(readFileSync(join(where, `${home.replace(".", "/")}.d.ts`), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  files.set(home, types);
  return types;
}

/** Descriptions of a type of the table, such as `core.v1.Container`; nothing where none are installed or the type is too new. */
export function prose(typeName: string): Prose {
  const dot = typeName.lastIndexOf(".");
  return proseOf(typeName.slice(0, dot)).get(typeName.slice(dot + 1)) ?? nothing;
}

let version: string | undefined;

/** Changes when the descriptions do: part of the documents' hashes. */
export function proseVersion(): string {
  if (version !== undefined) return version;
  const where = packageFolder();
  if (where === undefined) version = "none";
  else version = (JSON.parse(readFileSync(join(where, "package.json"), "utf8")) as { version: string }).version;
  return version;
}
