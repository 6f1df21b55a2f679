import { imageErrors } from "./errors.ts";
import type { ImageRuntime, RunnableImage } from "./images.ts";
import { layersImage } from "./layers.ts";
import { sourceImage } from "./source.ts";
import { type ImageEntry, ImageTable } from "./table.ts";
import { PostgresImage } from "./well-known/postgres.ts";
import { nginxImage, nodeImage, pauseImage, pythonImage, redisImage, toolsImage } from "./well-known/programs.ts";

export interface ImageRuntimeOptions {
  /** A JSON file, see ImageTableFile; it may come later, and is read again when it changes. */
  readonly table: string;
  /** A folder for what is prepared once and used by many. */
  readonly cache: string;
}

type Maker = (reference: string) => RunnableImage | Promise<RunnableImage>;

/** The node's table from image reference to what it starts: first what the file says, then what the node knows by itself. */
export function createImageRuntime(options: ImageRuntimeOptions): ImageRuntime {
  const table = new ImageTable(options.table);
  const postgres = new PostgresImage(options.cache);
  const known = new Set<string>();
  const wellKnown: readonly (readonly [name: RegExp, make: Maker])[] = [
    [/^postgres$/, (reference) => postgres.image(reference)],
    [/^(redis|valkey)$/, redisImage],
    [/^nginx$/, nginxImage],
    [/^node$/, nodeImage],
    [/^python$/, pythonImage],
    [/^(busybox|alpine|debian|ubuntu|bash)$/, toolsImage],
    [/^pause$/, pauseImage],
  ];

  async function resolve(reference: string): Promise<RunnableImage> {
    const entry = table.find(reference);
    const image = entry ? await fromEntry(reference, entry) : await fromName(reference);
    known.add(reference);
    return image;
  }

  async function fromEntry(reference: string, entry: ImageEntry): Promise<RunnableImage> {
    if ("alias" in entry) return entry.alias === reference ? fromName(reference) : resolve(entry.alias);
    return "layers" in entry ? layersImage(reference, entry) : sourceImage(reference, entry, options.cache);
  }

  async function fromName(reference: string): Promise<RunnableImage> {
    const name = repositoryName(reference);
    const make = wellKnown.find(([pattern]) => pattern.test(name))?.[1];
    if (!make) throw imageErrors.unknown(reference);
    return make(reference);
  }

  return {
    resolve,
    known: () => [...known],
    onChange: (callback) => table.onChange(callback),
    close: () => table.close(),
  };
}

/** `docker.io/library/postgres:18.4@sha256:…` → `postgres`: the last part of the name, for images whose names are known everywhere. */
export function repositoryName(reference: string): string {
  const withoutDigest = reference.split("@")[0] ?? reference;
  const last = withoutDigest.split("/").at(-1) ?? withoutDigest;
  return last.split(":")[0] ?? last;
}
