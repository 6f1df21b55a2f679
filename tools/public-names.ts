// The list of public names of each package is committed, so that a change of it is seen in a review. `npm run update` writes it.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const anExport =
  /export\s+(?:type\s+)?\{([^}]*)\}|export\s+(?:declare\s+)?(?:async\s+)?(?:const|function|class|interface|type|enum)\s+([A-Za-z0-9_$]+)/g;

/** The names that `src/index.ts` exports, values and types, sorted. */
function publicNames(folder: string): string[] {
  const names = new Set<string>();
  for (const match of readFileSync(join(folder, "src/index.ts"), "utf8").matchAll(anExport)) {
    for (const part of (match[1] ?? match[2] ?? "").split(",")) {
      const name = part
        .trim()
        .split(/\s+as\s+/)
        .at(-1)
        ?.replace(/^type\s+/, "");
      if (name) names.add(name);
    }
  }
  return [...names].sort();
}

function folders(): string[] {
  return globSync("packages/*")
    .filter((folder) => existsSync(join(folder, "src/index.ts")))
    .sort();
}

function describe(folder: string): string {
  return publicNames(folder)
    .map((name) => `${name}\n`)
    .join("");
}

/** One sentence for each package whose names are not those that are committed. */
export function checkPublicNames(): string[] {
  return folders().flatMap((folder) => {
    const file = join(folder, "public-names.txt");
    const starred = /export\s+\*/.test(readFileSync(join(folder, "src/index.ts"), "utf8"));
    if (starred) return [`${folder}/src/index.ts: name what is exported instead of "export *"`];
    const committed = existsSync(file) ? readFileSync(file, "utf8") : "";
    return committed === describe(folder)
      ? []
      : [`${file}: differs from what ${basename(folder)} exports; npm run update writes it`];
  });
}

export function updatePublicNames(): void {
  for (const folder of folders()) writeFileSync(join(folder, "public-names.txt"), describe(folder));
}
