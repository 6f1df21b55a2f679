import { compareElements } from "./path-element.ts";

/**
 * A set of fields of an object, in the very form of `fieldsV1` in managedFields: a tree whose keys are path elements (`f:spec`, `k:{"name":"a"}`, `v:"x"`). A node without anything in it is a member; one with something in it is a
 * member where it holds `.`. Sets are never altered: every operation gives a set that shares with the given ones what it can, and the very same object where nothing changed.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A member without anything below it; as a whole set: nothing. */
export const leaf: FieldSet = Object.freeze({});

/** A set under construction. */
export type FieldSetBuilder = Record<string, FieldSet>;

/** Whether a whole set has nothing in it. */
export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether a node below the root is in the set itself. */
export function isMember(node: FieldSet): boolean {
  return node["."] !== undefined || isEmpty(node);
}

/** The node, as a member. */
export function asMember(node: FieldSet | undefined): FieldSet {
  if (node === undefined) return leaf;
  return isMember(node) ? node : { ".": leaf, ...node };
}

/** Node of a member flag and what lies below; undefined where neither is. */
function nodeOf(member: boolean, children: FieldSet | undefined): FieldSet | undefined {
  if (!children || isEmpty(children)) return member ? leaf : undefined;
  return member ? { ".": leaf, ...children } : children;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  return mergeChildren(a, b);
}

function unionNode(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const member = isMember(a) || isMember(b);
  const children = mergeChildren(a, b);
  return member ? asMember(children) : children;
}

function mergeChildren(a: FieldSet, b: FieldSet): FieldSet {
  let result: FieldSetBuilder | undefined;
  let added = false;
  for (const element in b) {
    const theirs = b[element] as FieldSet;
    const ours = a[element];
    const merged = ours ? unionNode(ours, theirs) : theirs;
    if (merged === ours) continue;
    result ??= { ...a };
    result[element] = merged;
    added ||= ours === undefined;
  }
  if (!result) return a;
  return added ? sorted(result) : result;
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  let result: FieldSetBuilder | undefined;
  for (const element in a) {
    const ours = a[element] as FieldSet;
    const theirs = b[element];
    if (!theirs || element === ".") continue;
    const children = intersection(ours, theirs);
    const node = nodeOf(isMember(ours) && isMember(theirs), children);
    if (node) (result ??= {})[element] = node;
  }
  return result ?? leaf;
}

/** What is in `a` and not in `b`; what lies below a member of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return without(a, b, false);
}

/** What is in `a` and neither in `b` nor below a member of `b`. */
export function exclude(a: FieldSet, b: FieldSet): FieldSet {
  return without(a, b, true);
}

function without(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  let result: FieldSetBuilder | undefined;
  for (const element in b) {
    const ours = a[element];
    if (!ours || element === ".") continue;
    const node = withoutNode(ours, b[element] as FieldSet, recursive);
    if (node === ours) continue;
    result ??= { ...a };
    if (node) result[element] = node;
    else delete result[element];
  }
  return result ?? a;
}

function withoutNode(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet | undefined {
  const gone = isMember(b);
  if (gone && recursive) return undefined;
  const member = isMember(a);
  const children = without(a, b, recursive);
  if (!gone || !member) {
    if (children === a) return a;
    const { ".": _, ...rest } = children;
    return nodeOf(member, rest);
  }
  const { ".": _, ...rest } = children;
  return nodeOf(false, rest);
}

/** The set with its elements in the order in which the API server writes them, all the way down. */
export function sortedDeep(set: FieldSet): FieldSet {
  const elements = Object.keys(set);
  if (elements.length === 0) return leaf;
  const result: FieldSetBuilder = {};
  if (elements.length > 1) elements.sort(compareElements);
  for (const element of elements) result[element] = sortedDeep(set[element] as FieldSet);
  return result;
}

function sorted(set: FieldSetBuilder): FieldSet {
  const result: FieldSetBuilder = {};
  for (const element of Object.keys(set).sort(compareElements)) result[element] = set[element] as FieldSet;
  return result;
}

/** The paths of all members: those of a node before those below it, in order. */
export function paths(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const here = Object.keys(set).filter((element) => element !== ".");
  const own = here.filter((element) => isMember(set[element] as FieldSet)).map((element) => [...prefix, element]);
  return [...own, ...here.flatMap((element) => paths(set[element] as FieldSet, [...prefix, element]))];
}

/** Whether a path is a member. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return node !== undefined && path.length > 0 && isMember(node);
}
