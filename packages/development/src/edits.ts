import { realpathSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { messageOf, type Reporter } from "@dhow/base";
import type { KubeClient } from "@dhow/kube";
import { sourceImages } from "@dhow/manifests";
import { programFolders } from "@dhow/node/workspace";
import { watch } from "chokidar";
import { checkSyntax } from "./explain.ts";
import type { LoadedSystem } from "./load.ts";
import { RollingRestart } from "./rolling-restart.ts";

export interface EditOptions {
  readonly client: KubeClient;
  readonly loaded: LoadedSystem;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Editors write a file in several steps; a change counts when it has been quiet for so long (milliseconds). */
const quiet = 15;

/** What no program reads, by its path below a source's folder. */
const ignored = /(^|[/\\])(node_modules|\.git|\.dhow|test|tests)([/\\]|$)|\.test\.ts$|~$|\.swp$/;

/**
 * Restarts what an edit touches, one pod after the other: a service by its own files and by those of the workspace packages that it depends
 * on. An edit that cannot be read is shown, and the old code goes on.
 */
export function followEdits(options: EditOptions): { close(): Promise<void> } {
  const follower = new Follower(options);
  return { close: () => follower.close() };
}

/** A service that runs from a folder. */
interface Program {
  readonly name: string;
  readonly source: string;
  readonly restart: RollingRestart;
  /** Absolute paths. */
  folders: readonly string[];
  /** What has changed since the code that the pods were last told to run. */
  readonly changed: Set<string>;
}

class Follower {
  readonly #options: EditOptions;
  /** Of system.ts, without symbolic links, as the folders of programs are. */
  readonly #folder: string;
  readonly #programs: readonly Program[];
  readonly #watcher: ReturnType<typeof watch>;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EditOptions) {
    this.#options = options;
    const { client, loaded, reporter } = options;
    this.#folder = realpathSync(loaded.folder);
    const { namespace } = loaded.system.environment;
    this.#programs = sourceImages(loaded.system).map(({ source, service: { name } }) => ({
      name,
      source: join(loaded.folder, source),
      restart: new RollingRestart({ client, namespace, service: name, reporter }),
      folders: programFolders(join(loaded.folder, source)),
      changed: new Set(),
    }));
    const folders = this.#programs.flatMap((program) => program.folders);
    this.#watcher = watch([...new Set(folders)], {
      ignoreInitial: true,
      ignored: (path) => !this.#programs.some((program) => reads(program, path)),
    });
    this.#watcher.on("all", (event, path) => {
      if (event !== "addDir" && event !== "unlinkDir") this.#changed(path);
    });
    this.#watcher.on("error", (error) => {
      reporter.report({ kind: "source.failed", level: "error", subject: "edits", message: messageOf(error) });
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
    await Promise.all(this.#programs.map(({ restart }) => restart.close()));
  }

  #changed(path: string): void {
    for (const program of this.#programs) {
      if (!reads(program, path)) continue;
      program.changed.add(path);
      // What is being written is not for the next pod to read.
      program.restart.hold();
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), quiet);
  }

  #settle(): void {
    const looked = new Map<string, boolean>();
    for (const program of this.#programs) {
      if (program.changed.size === 0) continue;
      const unreadable = [...program.changed].filter((file) => !this.#readable(program.name, file, looked));
      if (unreadable.length > 0) continue;
      const files = [...program.changed];
      program.changed.clear();
      if (files.some((file) => basename(file) === "package.json")) this.#followOthers(program);
      program.restart.begin(files.map((file) => relative(this.#folder, file)));
    }
  }

  /** Whether a file can be parsed. What services share is looked at, and said, once. */
  #readable(service: string, file: string, looked: Map<string, boolean>): boolean {
    const known = looked.get(file);
    if (known !== undefined) return known;
    const error = problemOf(file);
    looked.set(file, error === undefined);
    if (error === undefined) return true;
    this.#options.reporter.report({
      kind: "source.syntax-error",
      level: "error",
      subject: service,
      message: `${messageOf(error)}; the old code goes on`,
      data: { error },
    });
    return false;
  }

  /** Its dependencies may be others now. */
  #followOthers(program: Program): void {
    program.folders = programFolders(program.source);
    this.#watcher.add([...program.folders]);
  }
}

function reads({ folders }: Program, path: string): boolean {
  return folders.some((folder) => {
    const below = relative(folder, path);
    return below !== ".." && !below.startsWith(`..${sep}`) && !ignored.test(below);
  });
}

/** Why a file cannot be read as code; a file that is gone, and one that is no code, is no problem. */
function problemOf(file: string): unknown {
  if (!/\.[cm]?[jt]s$/.test(file)) return undefined;
  try {
    checkSyntax(file);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : error;
  }
}
