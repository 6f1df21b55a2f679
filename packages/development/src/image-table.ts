import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { adminerImage, sourceImages } from "@dhow/manifests";
import type { LoadedSystem } from "./load.ts";

/** One entry of the node's table: what to start for an image reference. */
interface ImageEntry {
  readonly source: string;
  readonly run?: string;
}

/**
 * Writes into the node's table what a system needs: its services run from their folders, the operators' page from its package. What is there already stays:
 * it is of other environments and versions, whose pods may be started again at any time.
 */
export function writeImageTable(file: string, loaded: LoadedSystem): void {
  const entries: Record<string, ImageEntry> = readTable(file);
  entries[adminerImage] = { source: packageFolder("@dhow/adminer") };
  for (const { reference, source, run } of sourceImages(loaded.system)) {
    entries[reference] = { source: join(loaded.folder, source), ...(run !== undefined && { run }) };
  }
  writeFileSync(`${file}.new`, JSON.stringify({ images: entries }, null, 2));
  renameSync(`${file}.new`, file);
}

function readTable(file: string): Record<string, ImageEntry> {
  if (!existsSync(file)) return {};
  return (JSON.parse(readFileSync(file, "utf8")) as { images: Record<string, ImageEntry> }).images;
}

function packageFolder(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
}
