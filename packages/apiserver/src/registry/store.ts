import { type Clock, randomSuffix, uid } from "@dhow/base";
import { alreadyExists, clone, conflict, deepEqual, type KubeObject, timestamp } from "@dhow/kube";
import { WriteConflict } from "../storage/storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { Store } from "../store.ts";
import type { Catalog } from "./catalog.ts";

const tries = 50;

/** The storage as strategies and admission see it. What they write is believed: no admission, no validation. */
export function createStore(storage: Storage, catalog: Catalog, clock: Clock): Store {
  const key = (resource: string, namespace: string | undefined, name: string) =>
    catalog.isNamespaced(resource) ? `${namespace ?? ""}/${name}` : name;
  const lists = new Map<string, { version: number; items: readonly KubeObject[] }>();
  const list = (resource: string, namespace?: string): readonly KubeObject[] => {
    const place = `${resource}/${namespace ?? ""}`;
    const version = storage.version(resource);
    const known = lists.get(place);
    if (known?.version === version) return known.items;
    const items = storage.list(resource, namespace ? `${namespace}/` : "").map(({ object }) => object);
    lists.set(place, { version, items });
    return items;
  };
  const get = (resource: string, namespace: string | undefined, name: string) =>
    storage.get(resource, key(resource, namespace, name))?.object;
  return {
    get: get as Store["get"],
    list: list as Store["list"],
    async create(resource, object) {
      const { generateName, namespace } = object.metadata;
      const name = object.metadata.name ?? `${generateName}${randomSuffix(5)}`;
      const metadata = { ...object.metadata, name, uid: uid(), creationTimestamp: timestamp(clock.now()) };
      try {
        const stored = await storage.put(resource, key(resource, namespace, name), { ...object, metadata }, 0);
        return stored.object;
      } catch (error) {
        throw error instanceof WriteConflict ? alreadyExists(resource, name) : error;
      }
    },
    async modify(resource, namespace, name, change) {
      const place = key(resource, namespace, name);
      for (let attempt = 1; ; attempt++) {
        const current = storage.get(resource, place);
        if (!current) return undefined;
        const next = change(clone(current.object));
        if (!next || deepEqual(next, current.object)) return current.object;
        try {
          return (await storage.put(resource, place, next, current.revision)).object;
        } catch (error) {
          if (!(error instanceof WriteConflict)) throw error;
          if (attempt >= tries) throw conflict(resource, name);
        }
      }
    },
  };
}
