import { badRequest, expired } from "@dhow/kube";
import type { Storage } from "../storage/storage.ts";
import type { StoredObject } from "../storage/resource-table.ts";
import type { Call } from "./call.ts";
import { continueExpired, decodeContinue, encodeContinue } from "./continue.ts";
import type { Resource } from "./resource.ts";
import { integerOf } from "./query.ts";
import { badResourceVersion, checkListOptions, checkNumbers, parseRevision, tooLargeRevision } from "./revision.ts";
import { parseSelection, type Selection } from "./selection.ts";

/** One page of a list. */
export interface Page {
  readonly items: readonly StoredObject[];
  readonly revision: number;
  readonly continue?: string;
  readonly remaining?: number;
}

interface Wish {
  readonly start: string;
  /** Undefined: as things are now. */
  readonly revision: number | undefined;
  readonly limit: number;
}

/** The rules for resourceVersion, limit and continue: apiserver/pkg/storage/cacher/delegator/interface.go and storage/etcd3/store.go. */
export function listPage(storage: Storage, call: Pick<Call, "resource" | "namespace" | "name" | "query">): Page {
  const { resource, namespace, query } = call;
  checkListOptions(query, false);
  const selection = parseSelection(resource, query);
  const prefix = namespace === undefined || !resource.info.namespaced ? "" : `${namespace}/`;
  const wish = parseWish(storage, query, prefix);
  const shown = wish.revision ?? storage.revision;
  const all = oneOf(itemsAt(storage, resource, prefix, wish), call.name, prefix);
  return paginate(all, shown, wish.limit, selection, prefix);
}

/** A list of one name looks at no other object, so that it is never cut before it comes to that one. */
function oneOf(items: readonly StoredObject[], name: string, prefix: string): readonly StoredObject[] {
  if (name === "" || prefix === "") return items;
  const item = items.find(({ key }) => key === `${prefix}${name}`);
  return item ? [item] : [];
}

/** All that a selection of a collection holds now; throws where what is said of a list is wrong, as it may have been meant to be less. */
export function selectAll(storage: Storage, call: Pick<Call, "resource" | "namespace" | "name" | "query">): Page {
  checkNumbers(call.query);
  const pages = ["limit", "continue", "resourceVersion", "resourceVersionMatch"].filter((name) => call.query.has(name));
  if (pages.length > 0) listPage(storage, call);
  const query = new URLSearchParams(call.query);
  for (const name of pages) query.delete(name);
  return listPage(storage, { ...call, query });
}

function parseWish(storage: Storage, query: URLSearchParams, prefix: string): Wish {
  const limit = Math.max(0, integerOf(query, "limit") ?? 0);
  const version = query.get("resourceVersion") ?? "";
  const wanted = parseRevision(version, (message) => badResourceVersion(message, version));
  const token = query.get("continue");
  if (token) {
    if (wanted) throw badRequest("specifying resource version is not allowed when using continue");
    const { revision, start } = decodeContinue(token);
    if (revision > storage.revision) throw tooLargeRevision(revision, storage.revision);
    // Keys begin at the collection, so that a token of one namespace shows nothing of another.
    return { limit, start: `${prefix}${start.replace(/^\//, "")}`, revision: revision < 0 ? undefined : revision };
  }
  if (wanted !== undefined && wanted > storage.revision) throw tooLargeRevision(version, storage.revision);
  const exact = query.get("resourceVersionMatch") === "Exact";
  // A page that may be of any revision comes from the watch cache, which does not cut (resourceVersion=0 ignores the limit).
  const uncut = wanted === 0 && query.get("resourceVersionMatch") !== "Exact";
  return { limit: uncut ? 0 : limit, start: prefix, revision: exact ? wanted : undefined };
}

function itemsAt(storage: Storage, resource: Resource, prefix: string, wish: Wish): readonly StoredObject[] {
  const now = storage.list(resource.storedAs, prefix, wish.start);
  if (wish.revision === undefined || wish.revision === storage.revision) return now;
  const past = storage.listAt(resource.storedAs, prefix, wish.start, wish.revision);
  if (past) return past;
  if (wish.start === prefix) throw expired("The resourceVersion for the provided list is too old.");
  throw continueExpired({ revision: wish.revision, start: wish.start.slice(prefix.length) });
}

function paginate(
  all: readonly StoredObject[],
  revision: number,
  limit: number,
  selection: Selection,
  prefix: string,
): Page {
  if (limit === 0 || all.length <= limit) {
    const items = selection.everything ? all : all.filter(({ object }) => selection.matches(object));
    return { items, revision };
  }
  const items: StoredObject[] = [];
  let index = 0;
  for (; index < all.length && items.length < limit; index++) {
    const item = all[index] as StoredObject;
    if (selection.matches(item.object)) items.push(item);
  }
  const last = all[index - 1];
  if (index >= all.length || !last) return { items, revision };
  const start = `${last.key.slice(prefix.length)}\u0000`;
  const next = encodeContinue({ revision, start: prefix === "" ? start : `/${start}` });
  // Counting what a selector would leave is not done by a real server either.
  return { items, revision, continue: next, ...(selection.everything ? { remaining: all.length - index } : {}) };
}
