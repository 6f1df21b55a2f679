import { type Clock, sleep, systemClock } from "@dhow/base";
import { deepFreeze } from "../equality.ts";
import type { KubeObject } from "../objects.ts";
import { isStatusError } from "../status.ts";
import type { KubeClient } from "./client.ts";
import { ObjectCache } from "./object-cache.ts";
import type { ObjectRef } from "./paths.ts";
import type { WatchEvent } from "./watch-stream.ts";

/** `old` is undefined for a new object, `object` for one that is gone. */
export type ChangeCallback<T> = (object: T | undefined, old: T | undefined) => void;

export interface InformerOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Ends it: the connection is closed, nothing is delivered any more. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Is told why a list or watch failed, each time, before it is tried again. */
  readonly onProblem?: (problem: unknown) => void;
}

/** Back-off between failed attempts: from 50 ms, doubling, to 10 s. */
const backOff = { first: 50, most: 10_000 };

/** A watch that held for so many milliseconds was a good one. */
const calm = 1000;

/**
 * A live copy of a collection: listed once, then watched. It resumes a watch where it broke off, reads the list anew where the server has forgotten that place (410), and backs off where the server does not answer.
 * Objects are frozen and shared: copy before changing.
 */
export class Informer<T extends KubeObject = KubeObject> {
  /** Resolves when the first list has been delivered; rejects with the signal's reason when it is aborted before. */
  readonly synced: Promise<void>;
  /** Resolves when it has ended after an abort. */
  readonly ended: Promise<void>;
  readonly #client: KubeClient;
  readonly #ref: ObjectRef;
  readonly #options: InformerOptions;
  readonly #clock: Clock;
  readonly #cache = new ObjectCache<T>();
  readonly #callbacks = new Set<ChangeCallback<T>>();
  readonly #firstList = Promise.withResolvers<void>();
  #failures = 0;

  constructor(client: KubeClient, ref: ObjectRef, options: InformerOptions) {
    this.#client = client;
    this.#ref = ref;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.synced = this.#firstList.promise;
    this.synced.catch(() => undefined);
    this.ended = this.#run();
  }

  /** The object as last seen. `namespace` is undefined or empty for cluster-scoped kinds. */
  get(namespace: string | undefined, name: string): T | undefined {
    return this.#cache.get(namespace, name);
  }

  /** Everything, or what is in a namespace, in no particular order. */
  list(namespace?: string): T[] {
    return this.#cache.list(namespace);
  }

  /**
   * Calls back synchronously, in order, for each change from now on, after `get` and `list` show it; and at once for each object already here. The returned function ends that. What a callback throws becomes an uncaught exception.
   */
  onChange(callback: ChangeCallback<T>): () => void {
    for (const object of this.#cache.list()) callback(object, undefined);
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    let resourceVersion: string | undefined;
    while (!signal.aborted) {
      try {
        resourceVersion ??= await this.#replace();
        const start = this.#clock.now();
        for await (const event of this.#watch(resourceVersion)) {
          // What had arrived before the abort is not delivered after it.
          if (signal.aborted) break;
          this.#failures = 0;
          resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
          if (event.type !== "BOOKMARK") this.#apply(event);
        }
        // A server that ends each watch at once must not be asked in a loop.
        if (this.#clock.now() - start > calm) this.#failures = 0;
        else if (this.#failures++ > 0) await this.#pause();
      } catch (error) {
        if (signal.aborted) break;
        this.#options.onProblem?.(error);
        if (isStatusError(error) && error.code === 410) resourceVersion = undefined;
        this.#failures += 1;
        await this.#pause();
      }
    }
    this.#callbacks.clear();
    this.#firstList.reject(signal.reason);
  }

  #watch(resourceVersion: string): AsyncIterable<WatchEvent<T>> {
    const { labelSelector, fieldSelector, signal } = this.#options;
    return this.#client.watch<T>(this.#ref, {
      ...(labelSelector ? { labelSelector } : {}),
      ...(fieldSelector ? { fieldSelector } : {}),
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: 300 + Math.floor(Math.random() * 300),
      signal,
    });
  }

  /** Lists, delivers the differences from what was here, and gives the list's resourceVersion. */
  async #replace(): Promise<string> {
    const { labelSelector, fieldSelector, signal } = this.#options;
    const list = await this.#client.list<T>(this.#ref, {
      ...(labelSelector ? { labelSelector } : {}),
      ...(fieldSelector ? { fieldSelector } : {}),
      signal,
    });
    signal.throwIfAborted();
    this.#failures = 0;
    const gone = new Set(this.#cache.list());
    for (const object of list.items) {
      const old = this.#cache.get(object.metadata.namespace, object.metadata.name ?? "");
      if (old) gone.delete(old);
      if (old?.metadata.resourceVersion === object.metadata.resourceVersion && old) continue;
      this.#set(object, old?.metadata.uid === object.metadata.uid ? old : this.#drop(old));
    }
    for (const old of gone) this.#drop(old);
    this.#firstList.resolve();
    return list.metadata.resourceVersion ?? "";
  }

  #apply(event: WatchEvent<T>): void {
    const { object } = event;
    const old = this.#cache.get(object.metadata.namespace, object.metadata.name ?? "");
    if (event.type === "DELETED") this.#drop(old);
    else this.#set(object, old);
  }

  #set(object: T, old: T | undefined): void {
    this.#cache.set(deepFreeze(object));
    this.#deliver(object, old);
  }

  #drop(old: T | undefined): undefined {
    if (!old) return;
    this.#cache.delete(old);
    this.#deliver(undefined, old);
  }

  #deliver(object: T | undefined, old: T | undefined): void {
    for (const callback of this.#callbacks) {
      try {
        callback(object, old);
      } catch (error) {
        // One listener's fault must not keep the change from the others, nor go unseen.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  async #pause(): Promise<void> {
    const delay = Math.min(backOff.first * 2 ** Math.max(0, this.#failures - 1), backOff.most);
    // Spread, so that all informers of a process do not return in the same moment.
    await sleep(this.#clock, delay * (0.75 + Math.random() * 0.5), this.#options.signal).catch(() => undefined);
  }
}

export function startInformer<T extends KubeObject = KubeObject>(
  client: KubeClient,
  ref: ObjectRef,
  options: InformerOptions,
): Informer<T> {
  return new Informer<T>(client, ref, options);
}
