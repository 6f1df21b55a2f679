// The direction of imports: a package imports only packages on lower layers, and only what its package.json names.
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  name: string;
  layer?: number;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  /** What its tests use. */
  devDependencies?: Record<string, string>;
}

const anImport = /(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s+["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;
/** Test files may also use these, whatever the layer. */
const forTests = new Set(["@dhow/testkit"]);

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** One sentence for each import that goes up, sideways, or to something undeclared. */
export function checkLayers(): string[] {
  const manifests = new Map<string, Manifest & { folder: string }>();
  for (const file of globSync("packages/*/package.json")) {
    const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    manifests.set(manifest.name, { ...manifest, folder: dirname(file) });
  }
  const root = JSON.parse(readFileSync("package.json", "utf8")) as { devDependencies: Record<string, string> };
  const faults: string[] = [];
  for (const from of manifests.values()) {
    if (from.layer === undefined) faults.push(`${from.folder}/package.json: has no "layer"`);
    for (const file of globSync(join(from.folder, "{src,test}/**/*.ts"))) {
      const isTest = file.startsWith(join(from.folder, "test"));
      for (const match of readFileSync(file, "utf8").matchAll(anImport)) {
        const specifier = match[1] ?? match[2] ?? "";
        if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
        const name = packageOf(specifier);
        const target = manifests.get(name);
        const declared = name in { ...from.dependencies, ...from.optionalDependencies };
        const allowedInTest =
          isTest &&
          (forTests.has(name) || name in { ...root.devDependencies, ...from.devDependencies } || name === from.name);
        if (!declared && !allowedInTest)
          faults.push(`${file}: imports ${name}, which ${from.folder}/package.json does not name`);
        if (target && !allowedInTest && (target.layer ?? 0) >= (from.layer ?? 0)) {
          faults.push(
            `${file}: ${from.name} (layer ${from.layer}) imports ${name} (layer ${target.layer}): only lower layers`,
          );
        }
      }
    }
  }
  return faults;
}
