import { renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { adminerImage, sourceImages } from "@dhow/manifests";
import type { LoadedSystem } from "./load.ts";

/** One entry of the node's table: what to start for an image reference. */
interface ImageEntry {
  readonly source: string;
  readonly run?: string;
}

/** Writes the node's table for a system: its services run from their folders, the operators' page from its package. */
export function writeImageTable(file: string, loaded: LoadedSystem): void {
  const entries: Record<string, ImageEntry> = { [adminerImage]: { source: packageFolder("@dhow/adminer") } };
  for (const { reference, source, run } of sourceImages(loaded.system)) {
    entries[reference] = { source: join(loaded.folder, source), ...(run !== undefined && { run }) };
  }
  writeFileSync(`${file}.new`, JSON.stringify({ images: entries }, null, 2));
  renameSync(`${file}.new`, file);
}

function packageFolder(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
}
