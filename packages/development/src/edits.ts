import { relative } from "node:path";
import type { Reporter } from "@dhow/base";
import { messageOf } from "@dhow/base";
import { type KubeClient, type Pod, readText } from "@dhow/kube";
import { sourceImages } from "@dhow/manifests";
import { watch } from "chokidar";
import { checkSyntax, type LoadedSystem } from "./load.ts";

export interface EditOptions {
  readonly client: KubeClient;
  readonly loaded: LoadedSystem;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Editors write a file in several steps; a change counts when it has been quiet for so long (milliseconds). */
const quiet = 15;

const ignored = /(^|[/\\])(node_modules|\.git|\.dhow|test|tests)([/\\]|$)|\.test\.ts$|~$|\.swp$/;

/** Restarts what an edit touches, one pod after the other; an edit that cannot be read is shown, and the old code goes on. */
export function followEdits(options: EditOptions): { close(): Promise<void> } {
  const followers = sourceImages(options.loaded.system).map(
    ({ source, service }) => new ServiceFollower(options, source, service.name),
  );
  return {
    async close() {
      await Promise.all(followers.map((follower) => follower.close()));
    },
  };
}

class ServiceFollower {
  readonly #options: EditOptions;
  readonly #name: string;
  readonly #watcher: ReturnType<typeof watch>;
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #restarting: Promise<void> = Promise.resolve();

  constructor(options: EditOptions, source: string, name: string) {
    this.#options = options;
    this.#name = name;
    this.#watcher = watch(source, {
      cwd: options.loaded.folder,
      ignoreInitial: true,
      ignored: (path) => ignored.test(path),
    });
    this.#watcher.on("all", (event, path) => {
      if (event === "addDir" || event === "unlinkDir") return;
      this.#changed.add(path);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#settle(), quiet);
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
    await this.#restarting;
  }

  #settle(): void {
    const files = [...this.#changed];
    this.#changed.clear();
    // One restart at a time: an edit during a restart is followed by another.
    this.#restarting = this.#restarting
      .then(() => this.#follow(files))
      .catch((error: unknown) => this.#report("source.failed", "error", messageOf(error)));
  }

  async #follow(files: readonly string[]): Promise<void> {
    const { folder } = this.#options.loaded;
    for (const file of files.filter((each) => /\.[cm]?[jt]s$/.test(each))) {
      try {
        checkSyntax(`${folder}/${file}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        this.#report("source.syntax-error", "error", `${messageOf(error)}; the old code goes on`, { error });
        return;
      }
    }
    const start = performance.now();
    for (const pod of await this.#pods()) await this.#restart(pod);
    const milliseconds = Math.round(performance.now() - start);
    this.#report(
      "source.restarted",
      "info",
      `${files.map((file) => relative(".", file)).join(", ")}: restarted in ${milliseconds} ms`,
      { files, milliseconds },
    );
  }

  async #pods(): Promise<Pod[]> {
    const { namespace } = this.#options.loaded.system.environment;
    const { items } = await this.#options.client.list<Pod>(
      { apiVersion: "v1", kind: "Pod", namespace },
      { labelSelector: `app=${this.#name}` },
    );
    return items.filter((pod) => pod.metadata.deletionTimestamp === undefined && pod.spec?.nodeName !== undefined);
  }

  /**
   * The kubelet answers when the new code is ready, so that the next pod's turn comes only then; where it does not become so, that turn never
   * comes, and the other pods go on with the old code.
   */
  async #restart(pod: Pod): Promise<void> {
    const { namespace, name } = pod.metadata;
    const path = `/api/v1/nodes/${pod.spec?.nodeName}/proxy/restart/${namespace}/${name}/${this.#name}`;
    const answer = await this.#options.client.raw({ method: "POST", path, headers: {} });
    const text = await readText(answer.body);
    if (answer.status >= 300 && answer.status !== 404)
      throw new Error(`${name} does not run with the new code: ${text.trim()}`);
  }

  #report(kind: string, level: "info" | "error", message: string, data?: Record<string, unknown>): void {
    this.#options.reporter.report({ kind, level, subject: this.#name, message, ...(data && { data }) });
  }
}
