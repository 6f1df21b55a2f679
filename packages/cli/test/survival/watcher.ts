// A client that watches, and goes on after each end of its watch where it was, as every informer does.
import { isStatusError, type KubeClient, type KubeObject, type ObjectRef } from "@dhow/kube";
import type { Revisions } from "./revisions.ts";

export interface WatcherOptions {
  readonly client: () => KubeClient;
  readonly of: ObjectRef;
  readonly labelSelector?: string;
  readonly revisions: Revisions;
}

export class Watcher {
  readonly faults: string[] = [];
  /** How many watches told something, and how often a list had to come before. */
  resumed = 0;
  listed = 0;
  /** resourceVersions by name, as the events tell it. */
  readonly state = new Map<string, string>();
  readonly #options: WatcherOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #last = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let known = false;
    while (!signal.aborted) {
      try {
        if (!known) await this.#list();
        known = true;
        await this.#follow();
      } catch (error) {
        if (isStatusError(error) && error.code === 410) known = false;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async #list(): Promise<void> {
    const { client, of, labelSelector } = this.#options;
    const list = await client().list(of, { ...(labelSelector && { labelSelector }), signal: this.#stop.signal });
    const revision = Number(list.metadata.resourceVersion);
    if (revision < this.#last) this.faults.push(`a list of ${of.kind} has ${revision} after ${this.#last}`);
    this.#last = revision;
    this.listed += 1;
    this.state.clear();
    for (const item of list.items) this.#set(item);
  }

  async #follow(): Promise<void> {
    const { client, of, labelSelector, revisions } = this.#options;
    const events = client().watch(of, {
      ...(labelSelector && { labelSelector }),
      resourceVersion: String(this.#last),
      allowWatchBookmarks: true,
      signal: this.#stop.signal,
    });
    let first = true;
    for await (const { type, object } of events) {
      if (first) this.resumed += 1;
      first = false;
      if (type === "BOOKMARK") {
        const revision = Number(object.metadata.resourceVersion);
        if (revision < this.#last) this.faults.push(`a bookmark of ${of.kind} has ${revision} after ${this.#last}`);
        this.#last = revision;
        continue;
      }
      this.#last = revisions.note(object, this.#last);
      if (type === "DELETED") this.state.delete(object.metadata.name ?? "");
      else this.#set(object);
    }
  }

  #set({ metadata }: KubeObject): void {
    this.state.set(metadata.name ?? "", metadata.resourceVersion ?? "");
  }
}
