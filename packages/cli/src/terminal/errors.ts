import { relative } from "node:path";
import { DhowError, formatPlace, messageOf, type Place } from "@dhow/base";
import { isStatusError } from "@dhow/kube";
import { style } from "./style.ts";

/** What is wrong, where, and what to write instead; a fault of Dhow's own with its stack, so that it can be reported. */
export function printError(error: unknown): void {
  console.error(errorLines(error).join("\n"));
}

export function errorLines(error: unknown): string[] {
  const mark = style("red", "✗", process.stderr);
  if (error instanceof DhowError) {
    const lines = [`${mark} ${error.message}`];
    if (error.place) lines.push(`    ${style("cyan", shownPlace(error.place), process.stderr)}`);
    if (error.instead) lines.push(`    Instead: ${error.instead}`);
    return lines;
  }
  if (isStatusError(error)) return [`${mark} The cluster refuses: ${messageOf(error)}`];
  return [`${mark} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
}

/** The path as seen from here, as editors and terminals open it. */
export function shownPlace(place: Place): string {
  const near = relative(process.cwd(), place.file);
  return formatPlace({ ...place, file: near.startsWith("../../..") ? place.file : near });
}
