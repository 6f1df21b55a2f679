interface Named {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
}

/** A live collection of objects without an API server behind it, as an Informer has: `put` and `remove` tell whoever listens. */
export class HeldCollection<T extends Named> {
  readonly #objects = new Map<string, T>();
  readonly #callbacks = new Set<(object: T | undefined, old: T | undefined) => void>();

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(`${namespace ?? ""}/${name}`);
  }

  list(namespace?: string): T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  onChange(callback: (object: T | undefined, old: T | undefined) => void): () => void {
    for (const object of this.#objects.values()) callback(object, undefined);
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  put(object: T): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const callback of this.#callbacks) callback(object, old);
  }

  remove(object: T): void {
    const old = this.#objects.get(keyOf(object));
    this.#objects.delete(keyOf(object));
    for (const callback of this.#callbacks) callback(undefined, old);
  }
}

function keyOf({ metadata }: Named): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
