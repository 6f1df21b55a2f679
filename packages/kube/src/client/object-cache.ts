import type { KubeObject } from "../objects.ts";

/** Objects by namespace and name. */
export class ObjectCache<T extends KubeObject> {
  readonly #namespaces = new Map<string, Map<string, T>>();

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#namespaces.get(namespace ?? "")?.get(name);
  }

  list(namespace?: string): T[] {
    if (namespace !== undefined) return [...(this.#namespaces.get(namespace)?.values() ?? [])];
    return [...this.#namespaces.values()].flatMap((objects) => [...objects.values()]);
  }

  set(object: T): void {
    const namespace = object.metadata.namespace ?? "";
    let objects = this.#namespaces.get(namespace);
    if (!objects) this.#namespaces.set(namespace, (objects = new Map()));
    objects.set(object.metadata.name ?? "", object);
  }

  delete(object: T): void {
    const namespace = object.metadata.namespace ?? "";
    const objects = this.#namespaces.get(namespace);
    if (objects?.delete(object.metadata.name ?? "") && objects.size === 0) this.#namespaces.delete(namespace);
  }
}
