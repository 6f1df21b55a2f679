// One command checks everything that can be checked without running the product: types, lint, format, layers, public names.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { checkLayers } from "./layers.ts";
import { checkPublicNames } from "./public-names.ts";

/** Runs one of the tools that npm installed; its output is shown only when it finds something. */
function tool(name: string, ...words: string[]): string[] {
  const result = spawnSync(`node_modules/.bin/${name}`, words, { encoding: "utf8" });
  return result.status === 0 ? [] : [`${result.stdout}${result.stderr}`.trim()];
}

const typeProjects = [
  "tsconfig.json",
  ...globSync("{packages,systems}/**/web/tsconfig.json", { exclude: ["**/node_modules/**"] }),
];
const checks: Record<string, () => string[] | Promise<string[]>> = {
  types: () => typeProjects.flatMap((project) => tool("tsc", "--project", project)),
  lint: () => tool("oxlint", "--type-aware"),
  format: () => tool("oxfmt", "--check"),
  layers: checkLayers,
  "public names": checkPublicNames,
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const faults = await check();
  console.log(`${faults.length === 0 ? "✓" : "✗"} ${name}`);
  for (const fault of faults) console.log(fault.replace(/^/gm, "    "));
  failed += faults.length;
}
process.exit(failed === 0 ? 0 : 1);
