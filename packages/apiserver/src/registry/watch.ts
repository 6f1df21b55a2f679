import { expired, goJson, type KubeObject, quote, type Status, type WatchNotice } from "@dhow/kube";
import type { Clock } from "@dhow/base";
import type { StoredObject } from "../storage/resource-table.ts";
import type { EventLog, StoreEvent } from "../storage/event-log.ts";
import type { Storage } from "../storage/storage.ts";
import type { Call } from "./call.ts";
import { keyOf, served } from "./resource.ts";
import { integerOf, isTrue } from "./query.ts";
import { checkListOptions, parseRevision, plainFailure } from "./revision.ts";
import { parseSelection, type Selection } from "./selection.ts";

/** How objects are written into the lines of a watch. */
export interface WatchFormat {
  /** Watchers of one format share their lines; undefined where each watcher's differ. */
  readonly name: string | undefined;
  /** JSON of the object of an event. `stored` is what it comes from, unless it is a bookmark. */
  text(object: KubeObject, stored: StoredObject | undefined): string;
}

const bookmarkInterval = 60_000;

/** The same watch for both kinds of readers; whichever is iterated runs it. */
export interface WatchAnswer {
  /** Newline-separated events, as they are sent. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What the lines say, those together that have come together, for callers in the same process; objects of the store are shared and frozen. */
  readonly events: AsyncIterable<readonly WatchNotice[]>;
  /** Aborted when what the reader has not taken yet has been overwritten (storage/cacher/cache_watcher.go, forceCloseWatcher). */
  readonly cut: AbortSignal;
}

/** What there is to say of one event, before it is written. */
interface Notice extends WatchNotice {
  readonly object: KubeObject | Status;
  /** What the object comes from, unless it is a bookmark or an error. */
  readonly stored?: StoredObject;
  /** Where the text can be shared with other watchers. */
  readonly event?: StoreEvent;
}

/**
 * A watch: newline-separated events (apiserver/pkg/endpoints/handlers/watch.go, storage/cacher). Throws before the
 * first line where the request is wrong; whatever happens later is an event of type ERROR.
 */
export function openWatch(storage: Storage, clock: Clock, call: Call, format: WatchFormat): WatchAnswer {
  checkListOptions(call.query, true);
  const watcher = new Watcher(storage, clock, call, format);
  return { body: watcher.lines(), events: watcher.notices(), cut: watcher.cut };
}

/** Lines that are small are written together, up to so many bytes: who reads slowly makes nobody hold more for it. */
const pieceSize = 64 * 1024;

class Watcher {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #call: Call;
  readonly #format: WatchFormat;
  readonly #log: EventLog;
  readonly #selection: Selection;
  readonly #prefix: string;
  #initial: Notice[] = [];
  readonly #bookmarks: boolean;
  readonly #cut = new AbortController();
  #position: number;

  constructor(storage: Storage, clock: Clock, call: Call, format: WatchFormat) {
    this.#storage = storage;
    this.#clock = clock;
    this.#call = call;
    this.#format = format;
    const { resource, namespace, query } = call;
    this.#log = storage.events(resource.storedAs);
    this.#selection = parseSelection(resource, query);
    this.#bookmarks = isTrue(query.get("allowWatchBookmarks"));
    this.#prefix = namespace === undefined || !resource.info.namespaced ? "" : `${namespace}/`;
    this.#position = this.#begin();
  }

  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  /** Where to start: with everything that is there, or after the revision that the client has seen. */
  #begin(): number {
    const { query } = this.#call;
    const version = query.get("resourceVersion") ?? "";
    const wanted = parseRevision(version, (message) =>
      plainFailure(`resourceVersion: Invalid value: ${quote(version)}: ${message}`),
    );
    const initialEvents = query.get("sendInitialEvents");
    const snapshot = initialEvents === null ? !wanted : isTrue(initialEvents);
    if (snapshot) {
      this.#addSnapshot(initialEvents !== null);
      return this.#log.end;
    }
    if (!wanted) return this.#log.end;
    const position = this.#log.after(wanted);
    if (position === undefined) {
      const { status } = expired(`too old resource version: ${wanted} (${this.#log.oldest + 1})`);
      this.#initial.push({ type: "ERROR", object: status });
      return -1;
    }
    return position;
  }

  #addSnapshot(markEnd: boolean): void {
    const { resource, name } = this.#call;
    const one =
      name === "" ? undefined : this.#storage.get(resource.storedAs, keyOf(resource, this.#call.namespace, name));
    const items =
      name !== "" && (this.#prefix !== "" || !resource.info.namespaced)
        ? one
          ? [one]
          : []
        : this.#storage.list(resource.storedAs, this.#prefix);
    for (const stored of items) {
      if (!this.#selection.matches(stored.object)) continue;
      this.#initial.push({ type: "ADDED", object: served(resource, stored), stored });
    }
    if (markEnd && this.#bookmarks) this.#initial.push(this.#bookmark({ "k8s.io/initial-events-end": "true" }));
  }

  #bookmark(annotations?: Record<string, string>): Notice {
    const { info, apiVersion } = this.#call.resource;
    const metadata = { resourceVersion: String(this.#storage.revision), ...(annotations ? { annotations } : {}) };
    return { type: "BOOKMARK", object: { kind: info.kind, apiVersion, metadata } };
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    for await (const notices of this.notices()) {
      const lines = notices.map((notice) => this.#line(notice));
      yield lines.length === 1 ? (lines[0] as Uint8Array) : Buffer.concat(lines);
    }
  }

  async *notices(): AsyncGenerator<readonly Notice[]> {
    const initial = this.#initial;
    this.#initial = [];
    if (initial.length > 0) yield initial;
    if (this.#position < 0) return;
    const { timeoutSeconds, signal } = { timeoutSeconds: this.#timeout(), signal: this.#call.signal() };
    const alarm = new Alarm();
    const stops = [
      this.#log.onAppend(() => {
        if (this.#log.isOverwritten(this.#position)) this.#cut.abort();
        alarm.ring();
      }),
      this.#clock.after(timeoutSeconds * 1000, () => alarm.end()),
      this.#storage.onClose(() => alarm.end()),
    ];
    const onAbort = () => alarm.end();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (this.#bookmarks) stops.push(this.#everyMinute(() => alarm.bookmark()));
    try {
      if (signal?.aborted) return;
      while (!alarm.ended) {
        const notices = this.#next(alarm.takeBookmark());
        if (notices === "overwritten") return;
        if (notices.length > 0) yield notices;
        else await alarm.wait();
      }
    } finally {
      for (const stop of stops) stop();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #everyMinute(callback: () => void): () => void {
    let cancel = () => undefined as void;
    const arm = () => {
      cancel = this.#clock.after(bookmarkInterval, () => {
        callback();
        arm();
      });
    };
    arm();
    return () => cancel();
  }

  /** A real server waits a random time of 30 to 60 minutes where the client names none. */
  #timeout(): number {
    const asked = integerOf(this.#call.query, "timeoutSeconds") ?? 0;
    return asked > 0 ? asked : Math.round(1800 * (1 + Math.random()));
  }

  /** What there is to say since the last time; a reader that was too slow for the log is cut off, and lists again. */
  #next(withBookmark: boolean): readonly Notice[] | "overwritten" {
    const events = this.#log.from(this.#position);
    if (!events) return "overwritten";
    const notices: Notice[] = [];
    let size = 0;
    for (const event of events) {
      const one = this.#noticeOf(event);
      const length = one?.stored?.text.length ?? 0;
      if (size > 0 && size + length > pieceSize) return notices;
      this.#position += 1;
      if (!one) continue;
      size += length;
      notices.push(one);
    }
    if (withBookmark) notices.push(this.#bookmark());
    return notices;
  }

  /** An object that begins or ceases to match the selector is ADDED or DELETED for this watcher (storage/cacher/cache_watcher.go). */
  #noticeOf(event: StoreEvent): Notice | undefined {
    const { current, previous, type } = event;
    if (!current.key.startsWith(this.#prefix)) return undefined;
    const is = type !== "DELETED" && this.#selection.matches(current.object);
    const was = previous !== undefined && this.#selection.matches(previous.object);
    if (is) return this.#notice(event, was ? "MODIFIED" : "ADDED", current);
    if (!was) return undefined;
    if (type === "DELETED") return this.#notice(event, "DELETED", current);
    return this.#notice(event, "DELETED", leaving(previous, event.revision));
  }

  #notice(event: StoreEvent, type: string, stored: StoredObject): Notice {
    return { type, object: served(this.#call.resource, stored), stored, event };
  }

  /** Written once for all watchers that want it in this form. */
  #line({ type, object, stored, event }: Notice): Uint8Array {
    if (type === "ERROR") return line(type, goJson(object));
    const write = () => line(type, this.#format.text(object as KubeObject, stored));
    if (!event || this.#format.name === undefined) return write();
    const key = `${type} ${this.#call.resource.apiVersion} ${this.#format.name}`;
    let bytes = event.lines.get(key);
    if (!bytes) event.lines.set(key, (bytes = write()));
    return bytes;
  }
}

/** The last state that matched, under the revision at which it ceased to. */
function leaving(previous: StoredObject, revision: number): StoredObject {
  const object = {
    ...previous.object,
    metadata: { ...previous.object.metadata, resourceVersion: String(revision) },
  };
  return { ...previous, revision, object, text: goJson(object) };
}

function line(type: string, object: string): Uint8Array {
  return Buffer.from(`{"type":"${type}","object":${object}}\n`);
}

/** Wakes the one who waits. */
class Alarm {
  ended = false;
  #rung = false;
  #bookmark = false;
  #waiting: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#waiting?.();
  }

  end(): void {
    this.ended = true;
    this.ring();
  }

  bookmark(): void {
    this.#bookmark = true;
    this.ring();
  }

  takeBookmark(): boolean {
    const due = this.#bookmark;
    this.#bookmark = false;
    return due;
  }

  async wait(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#waiting = resolve));
    this.#waiting = undefined;
    this.#rung = false;
  }
}
