import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { sourceImages } from "@dhow/manifests";
import { ModelError, type System } from "@dhow/model";
import { refine } from "./refine.ts";

const entries = ["src/main.ts", "main.ts", "src/main.js", "main.js", "package.json"];

/** Every `source` is a folder beside system.ts in which there is something to start. */
export function checkSources(system: System, folder: string): void {
  for (const { source, run, service } of sourceImages(system)) {
    const path = join(folder, source);
    const problem = !existsSync(path)
      ? `there is no folder ${source}`
      : !statSync(path).isDirectory()
        ? `${source} is no folder`
        : run === undefined && !entries.some((entry) => existsSync(join(path, entry)))
          ? `nothing in ${source} can be started`
          : undefined;
    if (problem === undefined) continue;
    throw refine(
      new ModelError({
        code: "MODEL_INVALID_VALUE",
        message: `service(${JSON.stringify(service.name)}): ${problem}`,
        instead: instead(folder, path),
        place: service.place,
        field: "source",
      }),
    );
  }
}

function instead(folder: string, path: string): string {
  if (existsSync(path) && statSync(path).isDirectory())
    return 'a src/main.ts in it, or run: "<the command that starts it>"';
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map((entry) => entry.name);
  return `source: one of ${folders.join(", ") || "(there is no folder yet)"}`;
}
