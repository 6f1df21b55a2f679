import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { imageErrors } from "./errors.ts";
import type { RunnableImage } from "./images.ts";
import type { LayersEntry } from "./table.ts";

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** An image that was built or pulled: its own layers are the root, its configuration says what runs. */
export function layersImage(reference: string, entry: LayersEntry): RunnableImage {
  for (const layer of entry.layers) if (!existsSync(layer)) throw imageErrors.layersMissing(reference, layer);
  const digest = createHash("sha256").update(entry.layers.join("\n")).digest("hex");
  return {
    root: entry.layers,
    mounts: [],
    entrypoint: entry.entrypoint ?? [],
    command: entry.command ?? [],
    env: { PATH: defaultPath, ...entry.env },
    workingDirectory: entry.workingDirectory ?? "/",
    user: entry.user ?? 0,
    group: entry.group ?? 0,
    ...(entry.stopSignal && { stopSignal: entry.stopSignal }),
    digest: entry.digest ?? `sha256:${digest}`,
  };
}
