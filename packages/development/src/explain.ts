// What a description throws while it is loaded becomes an error with a place in it, and a way out.
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { DhowError, messageOf, type Place } from "@dhow/base";
import * as model from "@dhow/model";
import { developmentError } from "./errors.ts";
import { findWord, refine } from "./refine.ts";

/** What "dhow" gives a description to write with. */
export const descriptionWords: readonly string[] = [
  "adminer",
  "generated",
  "ingress",
  "optional",
  "peer",
  "postgres",
  "secret",
  "service",
  "system",
];

/** Asked before the file is imported: an import's own message does not always say the place. */
export function checkSyntax(file: string): void {
  try {
    stripTypeScriptTypes(readFileSync(file, "utf8"), { mode: "strip" });
  } catch (error) {
    throw syntaxError(error, markedPlace(error, file) ?? { file, line: 1, column: 1 });
  }
}

/** Whatever a description throws, as an error with a place in it. */
export function explain(error: unknown, file: string): Error {
  if (error instanceof model.ModelError) return refine(error);
  if (error instanceof DhowError) return error;
  const message = messageOf(error);
  const place = placeInStack(error) ?? { file };
  return (
    model.usedTooEarly(error) ??
    inImportedFile(error) ??
    missingModule(message) ??
    missingExport(error, message) ??
    unknownName(message, place) ??
    developmentError("SYSTEM_FAILS", { message, place, instead: "a description that can be loaded", cause: error })
  );
}

const placeInStack = (error: unknown) => model.placeInStack(error instanceof Error ? (error.stack ?? "") : "");

/** Node puts `file:line`, the code and a row of ^ below what is wrong at the head of the stack; without a URL, the file is the one that was asked about. */
function markedPlace(error: unknown, asked?: string): Place | undefined {
  const [head = "", ...rows] = (error instanceof Error ? (error.stack ?? "") : "").split("\n");
  const [, path, line] = /^(.*):(\d+)$/.exec(head) ?? [];
  const marks = rows.find((row) => /^ *\^+ *$/.test(row));
  const file = asked ?? (path?.startsWith("file:") ? fileURLToPath(path) : undefined);
  if (file === undefined || line === undefined) return undefined;
  return { file, line: Number(line), column: marks === undefined ? 1 : marks.indexOf("^") + 1 };
}

function syntaxError(error: unknown, place: Place): Error {
  const line = readFileSync(place.file, "utf8").split("\n")[(place.line ?? 1) - 1]?.trim();
  return developmentError("SYSTEM_SYNTAX", {
    message: `syntax error: ${messageOf(error)}`,
    place,
    instead: `mend the line: ${line}`,
    cause: error,
  });
}

/** A file that the description imports, and that is not TypeScript as Node reads it. */
function inImportedFile(error: unknown): Error | undefined {
  const code = (error as { code?: unknown }).code;
  const place = markedPlace(error);
  if (place === undefined || !String(code).endsWith("_TYPESCRIPT_SYNTAX")) return undefined;
  return syntaxError(error, place);
}

/** A package or a file that is imported and not there. */
function missingModule(message: string): Error | undefined {
  const [, what, name, file] = /^Cannot find (package|module) '(.+)' imported from (.+)$/.exec(message) ?? [];
  if (name === undefined || file === undefined) return undefined;
  const place = findWord({ file, line: 1 }, basename(name)) ?? { file };
  if (what === "package") {
    const meant = model.closest(name, ["dhow"]);
    const instead = meant ? `import … from "${meant}"` : `npm install ${name}, or without it`;
    return developmentError("SYSTEM_FAILS", { message: `there is no package "${name}"`, place, instead });
  }
  const files = filesBeside(name);
  const meant = model.closest(basename(name), files);
  const instead = `import … from a file that is there${meant ? `: ${meant}` : files.length ? `, one of ${files.join(", ")}` : ""}`;
  return developmentError("SYSTEM_FAILS", { message: `there is no file ${name}`, place, instead });
}

function filesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(path)).filter((name) => /\.[cm]?[jt]s$/.test(name));
  } catch {
    return [];
  }
}

/** A name that the file imports from where it is not exported. */
function missingExport(error: unknown, message: string): Error | undefined {
  const [, from, name] = /^The requested module '(.+)' does not provide an export named '(.+)'$/.exec(message) ?? [];
  const place = markedPlace(error);
  if (name === undefined || place === undefined) return undefined;
  const meant = from === "dhow" ? model.closest(name, descriptionWords) : undefined;
  return developmentError("SYSTEM_FAILS", {
    message: `"${from}" exports no ${name}`,
    place: findWord(place, name) ?? place,
    instead: meant ? `import { ${meant} } from "${from}"` : `a name that "${from}" exports`,
  });
}

/** A name that the file does not import or is misspelt. V8 says where the surrounding expression begins, not where the name stands. */
function unknownName(message: string, place: Place): Error | undefined {
  const name = /^(\w+) is not defined$/.exec(message)?.[1];
  if (name === undefined) return undefined;
  const meant = model.closest(name, descriptionWords);
  return developmentError("SYSTEM_FAILS", {
    message: `${name} is not defined`,
    place: findWord(place, name) ?? place,
    instead: meant ? `${meant}, imported from "dhow"` : `another name, or import { ${name} } from where it is`,
  });
}
