import { existsSync, readFileSync, statSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DhowError, messageOf, type Place } from "@dhow/base";
import { describeSystem, ModelError, placeInStack, type System, type SystemDefinition } from "@dhow/model";
import { developmentError } from "./errors.ts";
import { findWord, refine } from "./refine.ts";
import { checkSources } from "./sources.ts";

/** A loaded description, and the folder that its sources are relative to. */
export interface LoadedSystem {
  readonly folder: string;
  readonly file: string;
  readonly system: System;
}

/** The file of a system: the one named, or `system.ts` in the folder named. */
export function systemFile(path: string): string {
  const found = resolve(path);
  if (existsSync(found) && statSync(found).isFile()) return found;
  const file = join(found, "system.ts");
  if (existsSync(file)) return file;
  throw developmentError("SYSTEM_NOT_FOUND", {
    message: existsSync(found) ? `there is no system.ts in ${found}` : `there is no folder ${found}`,
    instead: "dhow <command> <folder of system.ts>",
  });
}

/** Reads `system.ts`, without a build, and describes it for one environment. Throws a DhowError with file, line and what to write instead. */
export async function loadSystem(path: string, environment: string): Promise<LoadedSystem> {
  const file = systemFile(path);
  const folder = dirname(file);
  const definition = await importDefinition(file);
  const version = versionOf(folder);
  try {
    const system = describeSystem(definition, environment, environment === "development" ? `${version}-dev` : version);
    checkSources(system, folder);
    return { folder, file, system };
  } catch (error) {
    throw explain(error, file);
  }
}

async function importDefinition(file: string): Promise<SystemDefinition> {
  checkSyntax(file);
  let exported: { default?: unknown };
  try {
    exported = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    throw explain(error, file);
  }
  const definition = exported.default as Partial<SystemDefinition> | undefined;
  if (definition?.kind === "system") return definition as SystemDefinition;
  throw developmentError("SYSTEM_NOT_EXPORTED", {
    message: `${basename(file)} exports no system by default`,
    place: { file, line: 1 },
    instead: 'export default system("name", (environment) => [ … ])',
  });
}

/** Asked before the file is imported: an import's own message does not always say the place. */
export function checkSyntax(file: string): void {
  const text = readFileSync(file, "utf8");
  try {
    stripTypeScriptTypes(text, { mode: "strip" });
  } catch (error) {
    const place = placeOfSyntaxError(error, file);
    throw developmentError("SYSTEM_SYNTAX", {
      message: `syntax error: ${messageOf(error)}`,
      place,
      instead: `mend the line: ${text.split("\n")[(place.line ?? 1) - 1]?.trim()}`,
      cause: error,
    });
  }
}

/** Node puts `file:line`, the code and a row of ^ below what is wrong at the head of the stack. */
function placeOfSyntaxError(error: unknown, file: string): Place {
  const [head = "", ...rows] = (error instanceof Error ? (error.stack ?? "") : "").split("\n");
  const line = Number(/:(\d+)$/.exec(head)?.[1] ?? 1);
  const marks = rows.find((row) => /^ *\^+ *$/.test(row));
  return { file, line, column: marks === undefined ? 1 : marks.indexOf("^") + 1 };
}

/** Whatever a description throws becomes an error with a place in it. */
function explain(error: unknown, file: string): Error {
  if (error instanceof ModelError) return refine(error);
  if (error instanceof DhowError) return error;
  const place = placeInStack(error instanceof Error ? (error.stack ?? "") : "") ?? { file };
  const unknown = /^(\w+) is not defined$/.exec(messageOf(error))?.[1];
  if (unknown !== undefined) return explainUnknown(unknown, place);
  return developmentError("SYSTEM_FAILS", {
    message: messageOf(error),
    place,
    instead: "a description that can be loaded",
    cause: error,
  });
}

/** The version in the package.json beside system.ts, else 0.0.0. */
function versionOf(folder: string): string {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return "0.0.0";
  return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version ?? "0.0.0";
}

/** A name that the file does not import or is misspelt. V8 says where the surrounding expression begins, not where the name stands. */
function explainUnknown(name: string, place: Place): Error {
  return developmentError("SYSTEM_FAILS", {
    message: `${name} is not defined`,
    place: findWord(place, name) ?? place,
    instead: `another name, or import { ${name} } from where it is`,
  });
}
