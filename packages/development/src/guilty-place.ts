import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "@dhow/base";
import { sourceImages } from "@dhow/manifests";
import type { LoadedSystem } from "./load.ts";

/**
 * The first place in a service's own source that its log names: a frame of a stack (`file:///app/api/src/main.ts:3:9`), or the short
 * form in which @dhow/service says what is wrong with a setting (`src/configuration.ts:12   JWT_SECRET_KEY is not set`).
 */
export function placeInLog(loaded: LoadedSystem, workload: string, log: readonly string[]): Place | undefined {
  const source = sourceImages(loaded.system).find(({ service }) => service.name === workload)?.source;
  if (source === undefined) return undefined;
  const mentions = /([\w@./-]+\.[cm]?[jt]s|[\w./-]+\.py)(?::|", line )(\d+)(?::(\d+))?/g;
  const places = log.flatMap((line) =>
    [...line.matchAll(mentions)].flatMap(([, path = "", row, column]) => {
      const inside = path.includes(`/${source}/`)
        ? path.slice(path.lastIndexOf(`/${source}/`) + source.length + 2)
        : path;
      const file = join(loaded.folder, source, inside);
      if (inside.includes("node_modules") || inside.startsWith("/") || !existsSync(file)) return [];
      return [{ file, line: Number(row), ...(column !== undefined && { column: Number(column) }) }];
    }),
  );
  const [first] = places;
  // Node says the line first, and the column further down, in the stack.
  return places.find((place) => place.column && place.file === first?.file && place.line === first.line) ?? first;
}

/** What to write in system.ts where a program says that a variable of its environment is missing. */
export function missingVariable(loaded: LoadedSystem, workload: string, log: readonly string[]): string | undefined {
  const name = log
    .map((line) => /\b([A-Z][A-Z0-9_]+) is (?:not set|empty|missing|required)/.exec(line)?.[1])
    .find((each) => each !== undefined);
  if (name === undefined) return undefined;
  return `in system.ts, ${workload}: env: { ${name}: ${secretWith(loaded, name) ?? "…"} }`;
}

function secretWith(loaded: LoadedSystem, key: string): string | undefined {
  const owner = loaded.system.values.find((value) => value.kind === "secret" && key in value.entries);
  return owner && `<the secret "${owner.name}">.${key}`;
}
