/** One row of the durable store: an object's JSON text under its resource and key. */
export interface Row {
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  /** `namespace/name`, or `name` where the resource has no namespaces. */
  readonly key: string;
  readonly revision: number;
  readonly text: string;
}

/** A change that becomes durable; without `text` the row goes away. */
export interface Change {
  readonly resource: string;
  readonly key: string;
  readonly revision: number;
  readonly text: string | undefined;
}

/** Where changes become durable. Single-threaded: when `commit` returns, all of the changes survive a power cut; when it throws, none happened. */
export interface Journal {
  /** The revision of the last change that was ever committed; 0 for a new store. */
  readonly revision: number;
  readonly rows: () => Iterable<Row>;
  readonly commit: (changes: readonly Change[]) => void;
  /** Gives back to the disk some of what rows that are gone have left. */
  readonly trim: () => void;
  readonly close: () => void;
}

/** A journal that forgets: for tests and for measurements without a disk. */
export function memoryJournal(): Journal {
  const rows = new Map<string, Row>();
  let revision = 0;
  return {
    get revision() {
      return revision;
    },
    rows: () => rows.values(),
    commit(changes) {
      for (const { resource, key, revision: changed, text } of changes) {
        if (text === undefined) rows.delete(`${resource}/${key}`);
        else rows.set(`${resource}/${key}`, { resource, key, revision: changed, text });
        revision = changed;
      }
    },
    trim: () => undefined,
    close: () => undefined,
  };
}
