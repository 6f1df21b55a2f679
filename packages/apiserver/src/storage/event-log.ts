import type { StoredObject } from "./resource-table.ts";

/** One change of one object. `current` of a deletion is the last state with the deletion's revision. */
export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly current: StoredObject;
  readonly previous: StoredObject | undefined;
  /** What watchers serialised already, by their format: made once for all of them. */
  readonly lines: Map<string, Uint8Array>;
}

/**
 * The latest changes of one resource. A watcher is a cursor into it, so that a slow one costs no memory of its own: when its
 * place has been overwritten it is told to list again.
 */
export class EventLog {
  readonly #window: number;
  /** Events that are kept, oldest first; `#first` counts those dropped before. */
  #events: StoreEvent[] = [];
  #first = 0;
  #droppedRevision: number;
  readonly #wakers = new Set<() => void>();

  /** @param openedAt the store's revision when it was opened: what happened before is not known any more. */
  constructor(window: number, openedAt: number) {
    this.#window = window;
    this.#droppedRevision = openedAt;
  }

  append(event: StoreEvent): void {
    this.#events.push(event);
    // Cut in halves, so that dropping costs nothing per event.
    if (this.#events.length > this.#window * 2) this.#drop(this.#events.length - this.#window);
  }

  /** Forgets the changes up to and with `revision`. */
  compact(revision: number): void {
    const kept = this.#events.findIndex((event) => event.revision > revision);
    this.#drop(kept < 0 ? this.#events.length : kept);
  }

  #drop(count: number): void {
    if (count === 0) return;
    this.#droppedRevision = (this.#events[count - 1] as StoreEvent).revision;
    this.#events = this.#events.slice(count);
    this.#first += count;
  }

  /** The oldest revision from which a watch can continue. */
  get oldest(): number {
    return this.#droppedRevision;
  }

  /** The position after everything that happened so far. */
  get end(): number {
    return this.#first + this.#events.length;
  }

  /** The position of the first event after `revision`, or undefined when that is not known any more. */
  after(revision: number): number | undefined {
    if (revision < this.#droppedRevision) return undefined;
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1] as StoreEvent).revision > revision) index--;
    return this.#first + index;
  }

  /** Whether the event at `position` has been overwritten. */
  isOverwritten(position: number): boolean {
    return position < this.#first;
  }

  /** The events from `position` on, or undefined when they have been overwritten. */
  from(position: number): readonly StoreEvent[] | undefined {
    if (this.isOverwritten(position)) return undefined;
    return this.#events.slice(position - this.#first);
  }

  /** The events after `revision`, or undefined when they are not known any more. */
  since(revision: number): readonly StoreEvent[] | undefined {
    const position = this.after(revision);
    return position === undefined ? undefined : this.from(position);
  }

  /** Calls `waker` after each commit that brought events; the returned function stops that. */
  onAppend(waker: () => void): () => void {
    this.#wakers.add(waker);
    return () => this.#wakers.delete(waker);
  }

  wake(): void {
    for (const waker of this.#wakers) waker();
  }
}
