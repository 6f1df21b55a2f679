import type { KubeObject } from "@dhow/kube";
import { keyOf } from "../objects.ts";

/** Objects of one informer under further keys (the uid of the owner, the node, …), kept up to date with its changes. */
export class IndexBy<T extends KubeObject> {
  readonly #keysOf: (object: T) => readonly string[];
  readonly #byKey = new Map<string, Map<string, T>>();

  constructor(keysOf: (object: T) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  change(next: T | undefined, previous: T | undefined): void {
    if (previous) {
      for (const key of this.#keysOf(previous)) {
        const group = this.#byKey.get(key);
        group?.delete(keyOf(previous));
        if (group?.size === 0) this.#byKey.delete(key);
      }
    }
    if (!next) return;
    for (const key of this.#keysOf(next)) {
      let group = this.#byKey.get(key);
      if (!group) this.#byKey.set(key, (group = new Map()));
      group.set(keyOf(next), next);
    }
  }

  get(key: string): T[] {
    return [...(this.#byKey.get(key)?.values() ?? [])];
  }
}
