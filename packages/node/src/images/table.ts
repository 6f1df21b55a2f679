import { messageOf } from "@dhow/base";
import { type FSWatcher, mkdirSync, readFileSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { imageErrors } from "./errors.ts";

/** A service's own source, run as it lies there. */
export interface SourceEntry {
  /** The folder of the service. */
  readonly source: string;
  /** How it is started where it is not TypeScript: `python3 app.py`. */
  readonly run?: string;
  /** The folder that module names are resolved in; found from `source` where it is left out. */
  readonly workspace?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: number;
}

/** The unpacked layers of an image, lowest first, and its configuration. */
export interface LayersEntry {
  readonly layers: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: number;
  readonly group?: number;
  readonly stopSignal?: NodeJS.Signals;
  readonly digest?: string;
}

/** Another reference, most often one that the node knows by itself. */
export interface AliasEntry {
  readonly alias: string;
}

export type ImageEntry = SourceEntry | LayersEntry | AliasEntry;

/** What the file holds. Keys are whole references, or patterns in which `*` stands for anything. */
export interface ImageTableFile {
  readonly images: Readonly<Record<string, ImageEntry>>;
}

/** The node's table of images: a JSON file that somebody else writes, looked up again whenever it changes. */
export class ImageTable {
  readonly #file: string;
  readonly #listeners = new Set<() => void>();
  readonly #watcher: FSWatcher;
  #entries: Readonly<Record<string, ImageEntry>> | undefined;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    // The folder is watched: the file is replaced as a whole, and may not be there yet.
    this.#watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name !== null && name !== basename(file)) return;
      this.#entries = undefined;
      for (const listener of this.#listeners) listener();
    });
    this.#watcher.on("error", () => undefined);
  }

  /** The entry of the reference itself, else that of the longest pattern that fits. */
  find(reference: string): ImageEntry | undefined {
    const entries = (this.#entries ??= this.#read());
    if (entries[reference]) return entries[reference];
    const fitting = Object.keys(entries).filter((pattern) => pattern.includes("*") && matches(pattern, reference));
    const best = fitting.sort((a, b) => b.length - a.length)[0];
    return best === undefined ? undefined : entries[best];
  }

  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  close(): void {
    this.#watcher.close();
    this.#listeners.clear();
  }

  #read(): Readonly<Record<string, ImageEntry>> {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch {
      return {};
    }
    try {
      return (JSON.parse(text) as ImageTableFile).images ?? {};
    } catch (error) {
      throw imageErrors.tableUnreadable(this.#file, messageOf(error));
    }
  }
}

/** Whether a reference fits a pattern in which `*` stands for any characters. */
export function matches(pattern: string, reference: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`).test(reference);
}
