import type { KubeObject } from "@dhow/kube";

/** An object as it is kept in memory: frozen, with the JSON text that answers are made of. */
export interface StoredObject {
  /** `namespace/name`, or `name` where the resource has no namespaces. */
  readonly key: string;
  readonly revision: number;
  readonly object: KubeObject;
  /** The whole object as JSON, `kind` and `apiVersion` first. */
  readonly text: string;
}

/** All objects of one resource in the order of their keys, which is the order of a list. */
export class ResourceTable {
  readonly #byKey = new Map<string, StoredObject>();
  readonly #sorted: StoredObject[] = [];
  /** Counts the changes of this resource. */
  version = 0;

  get size(): number {
    return this.#sorted.length;
  }

  get(key: string): StoredObject | undefined {
    return this.#byKey.get(key);
  }

  set(stored: StoredObject): void {
    this.version++;
    const index = this.#lowerBound(stored.key);
    // What comes last is common, and what is replaced more so: neither moves the others.
    if (this.#byKey.has(stored.key) || index === this.#sorted.length) this.#sorted[index] = stored;
    else this.#sorted.splice(index, 0, stored);
    this.#byKey.set(stored.key, stored);
  }

  delete(key: string): void {
    this.version++;
    if (this.#byKey.delete(key)) this.#sorted.splice(this.#lowerBound(key), 1);
  }

  /** Those whose key begins with `prefix`, from the first key that is not before `start`. */
  range(prefix = "", start = prefix): readonly StoredObject[] {
    if (prefix === "" && start === "") return this.#sorted;
    const from = this.#lowerBound(start > prefix ? start : prefix);
    // U+FFFF sorts after every character that a name can hold.
    const to = prefix === "" ? this.#sorted.length : this.#lowerBound(`${prefix}\uffff`);
    return this.#sorted.slice(from, to);
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as StoredObject).key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
