import { readFileSync } from "node:fs";
import type { Place } from "@dhow/base";
import { ModelError, type ModelErrorCode } from "@dhow/model";

/** How far below a constructor's call its fields are looked for. */
const reach = 60;

/** The same error at the line of the very field, where the description writes it out; else where the value is made. */
export function refine(error: ModelError): ModelError {
  const { place, field } = error;
  if (!place?.line || !field) return error;
  const found = findField(place, field);
  if (!found) return error;
  const { message, instead = "" } = error;
  return new ModelError({ code: error.code as ModelErrorCode, message, instead, place: found });
}

function findField(place: Place, field: string): Place | undefined {
  return find(place, new RegExp(`(?<=^|[\\s{,"'])${field.replace(/[^\w]/g, "\\$&")}["']?\\s*[:,}]`));
}

/** Where a word stands, at or below a place. */
export function findWord(place: Place, word: string): Place | undefined {
  return find(place, new RegExp(`\\b${word}\\b`));
}

function find(place: Place, pattern: RegExp): Place | undefined {
  const lines = readFileSync(place.file, "utf8").split("\n");
  const first = place.line ?? 1;
  for (let line = first; line < first + reach; line++) {
    const before = line === first ? (place.column ?? 1) - 1 : 0;
    const match = pattern.exec(lines[line - 1]?.slice(before) ?? "");
    if (match) return { file: place.file, line, column: before + match.index + 1 };
  }
  return undefined;
}
