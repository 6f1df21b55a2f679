import { deepFreeze, goJson, type KubeObject } from "@dhow/kube";
import { EventLog } from "./event-log.ts";
import type { Change, Journal } from "./journal.ts";
import { ResourceTable, type StoredObject } from "./resource-table.ts";

/** A write that did not find what it expected; `current` is what is there. */
export class WriteConflict extends Error {
  readonly current: StoredObject | undefined;

  constructor(current: StoredObject | undefined) {
    super("the stored object is not the one expected");
    this.current = current;
  }
}

interface PendingWrite {
  readonly resource: string;
  readonly key: string;
  /** What is stored, or the last state of what goes away (as it was, unless given). */
  readonly object: KubeObject | undefined;
  readonly removes: boolean;
  readonly expected: number;
  resolve(stored: StoredObject): void;
  reject(error: unknown): void;
}

/**
 * Everything the cluster knows. Reads come from memory; a write is acknowledged, and seen by readers and watchers, only after
 * its journal has committed it. Writes that arrive in one turn of the event loop share one commit, and a lone one waits for no timer.
 * One counter numbers all changes, as etcd's revision does.
 */
export class Storage {
  readonly #journal: Journal;
  readonly #window: number;
  readonly #tables = new Map<string, ResourceTable>();
  readonly #logs = new Map<string, EventLog>();
  readonly #openedAt: number;
  #revision: number;
  /** What was before this revision is forgotten, and what the revision was at the last `compact`. */
  #compacted = 0;
  #seen = 0;
  #pending: PendingWrite[] = [];
  readonly #closers = new Set<() => void>();
  #closed = false;

  /** @param window how many changes of each resource a watch can go back. */
  constructor(journal: Journal, window = 1000) {
    this.#journal = journal;
    this.#window = window;
    for (const { resource, key, revision, text } of journal.rows()) {
      this.#table(resource).set({ key, revision, text, object: deepFreeze(JSON.parse(text) as KubeObject) });
    }
    this.#revision = this.#openedAt = this.#seen = journal.revision;
  }

  /** The number of the last change; what lists and bookmarks carry. */
  get revision(): number {
    return this.#revision;
  }

  get(resource: string, key: string): StoredObject | undefined {
    return this.#tables.get(resource)?.get(key);
  }

  /** In the order of keys; `prefix` is `namespace/` for one namespace, `start` the first key wanted. */
  list(resource: string, prefix?: string, start?: string): readonly StoredObject[] {
    return this.#tables.get(resource)?.range(prefix, start) ?? [];
  }

  /** The list as it was at `revision`, or undefined when that is forgotten. */
  listAt(resource: string, prefix: string, start: string, revision: number): readonly StoredObject[] | undefined {
    const events = revision < this.#compacted ? undefined : this.events(resource).since(revision);
    if (!events) return undefined;
    const then = new Map(this.list(resource, prefix, start).map((stored) => [stored.key, stored]));
    for (const { current, previous } of events.toReversed()) {
      if (!current.key.startsWith(prefix) || current.key < start) continue;
      if (previous) then.set(current.key, previous);
      else then.delete(current.key);
    }
    return [...then.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  count(resource: string): number {
    return this.#tables.get(resource)?.size ?? 0;
  }

  /** Counts the changes of one resource in this process: where it stands still, so do its objects. */
  version(resource: string): number {
    return this.#tables.get(resource)?.version ?? 0;
  }

  resources(): Iterable<string> {
    return this.#tables.keys();
  }

  events(resource: string): EventLog {
    let log = this.#logs.get(resource);
    if (!log) this.#logs.set(resource, (log = new EventLog(this.#window, this.#openedAt)));
    return log;
  }

  /** Stores `object`, which the storage owns from here on; `expected` is the revision that it replaces, 0 when there must be none. Throws WriteConflict. */
  put(resource: string, key: string, object: KubeObject, expected: number): Promise<StoredObject> {
    return this.#enqueue({ resource, key, object, expected, removes: false });
  }

  /** Removes what has revision `expected`; gives its last state, `last` if that is given, with the revision of the removal. Throws WriteConflict. */
  remove(resource: string, key: string, expected: number, last?: KubeObject): Promise<StoredObject> {
    return this.#enqueue({ resource, key, object: last, expected, removes: true });
  }

  /**
   * Forgets what was before the call before this one: called every five minutes, it leaves a history of five to ten, as a real server's
   * compaction of etcd does (apiserver/pkg/storage/etcd3/compact.go). Gives back disk space, too.
   */
  compact(): void {
    if (this.#closed) return;
    this.#compacted = this.#seen;
    this.#seen = this.#revision;
    for (const log of this.#logs.values()) log.compact(this.#compacted);
    this.#journal.trim();
  }

  /** Calls back when the storage closes, for watches to end; the returned function stops that. */
  onClose(callback: () => void): () => void {
    this.#closers.add(callback);
    return () => this.#closers.delete(callback);
  }

  /** Commits what is waiting and closes the journal. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    for (const callback of this.#closers) callback();
    this.#journal.close();
  }

  #enqueue(write: Omit<PendingWrite, "resolve" | "reject">): Promise<StoredObject> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new Error("the storage is closed"));
        return;
      }
      // The check phase of this very turn: after everything that has been read from sockets, before waiting for more.
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      this.#pending.push({ ...write, resolve, reject });
    });
  }

  #table(resource: string): ResourceTable {
    let table = this.#tables.get(resource);
    if (!table) this.#tables.set(resource, (table = new ResourceTable()));
    return table;
  }

  #flush(): void {
    const writes = this.#pending;
    this.#pending = [];
    if (writes.length === 0) return;
    const batch = new Batch(this.#revision, (resource, key) => this.get(resource, key));
    for (const write of writes) batch.add(write);
    try {
      this.#journal.commit(batch.changes);
    } catch (error) {
      for (const write of writes) write.reject(error);
      return;
    }
    this.#revision = batch.revision;
    for (const step of batch.steps) this.#publish(step);
    for (const resource of new Set(batch.steps.map((step) => step.resource))) this.#logs.get(resource)?.wake();
    for (const settle of batch.settlements) settle();
  }

  #publish({ resource, current, previous, removed }: Step): void {
    const table = this.#table(resource);
    if (removed) table.delete(current.key);
    else table.set(current);
    const type = removed ? "DELETED" : previous ? "MODIFIED" : "ADDED";
    this.events(resource).append({ type, revision: current.revision, current, previous, lines: new Map() });
  }
}

interface Step {
  readonly resource: string;
  readonly current: StoredObject;
  readonly previous: StoredObject | undefined;
  readonly removed: boolean;
}

/** Writes that share a commit: each sees what those before it did. */
class Batch {
  revision: number;
  readonly changes: Change[] = [];
  readonly steps: Step[] = [];
  readonly settlements: (() => void)[] = [];
  readonly #read: (resource: string, key: string) => StoredObject | undefined;
  readonly #overlay = new Map<string, StoredObject | undefined>();

  constructor(revision: number, read: (resource: string, key: string) => StoredObject | undefined) {
    this.revision = revision;
    this.#read = read;
  }

  add(write: PendingWrite): void {
    const { resource, key } = write;
    const place = `${resource}/${key}`;
    const previous = this.#overlay.has(place) ? this.#overlay.get(place) : this.#read(resource, key);
    if ((previous?.revision ?? 0) !== write.expected || (!previous && write.removes)) {
      this.settlements.push(() => write.reject(new WriteConflict(previous)));
      return;
    }
    const revision = ++this.revision;
    const current = stored(key, revision, write.object ?? (previous as StoredObject).object);
    this.#overlay.set(place, write.removes ? undefined : current);
    this.changes.push({ resource, key, revision, text: write.removes ? undefined : current.text });
    this.steps.push({ resource, current, previous, removed: write.removes });
    this.settlements.push(() => write.resolve(current));
  }
}

function stored(key: string, revision: number, object: KubeObject): StoredObject {
  const { apiVersion, kind, metadata, ...rest } = object;
  const numbered = { kind, apiVersion, metadata: inOrder(metadata, revision), ...rest } as KubeObject;
  return { key, revision, text: goJson(numbered), object: deepFreeze(numbered) };
}

const metadataOrder = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
];

/** Fields in the order of Go's ObjectMeta, as every client is used to see them; others do not exist. */
function inOrder(metadata: KubeObject["metadata"], revision: number): KubeObject["metadata"] {
  const given = metadata as Record<string, unknown>;
  const ordered: Record<string, unknown> = {};
  for (const field of metadataOrder) {
    const value = field === "resourceVersion" ? String(revision) : given[field];
    if (value !== undefined) ordered[field] = value;
  }
  return ordered;
}
