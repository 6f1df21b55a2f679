import { clone, deepEqual, setField } from "../equality.ts";
import { badRequest, tooLarge } from "../status.ts";
import { isFields, jsonKind, rejected } from "./errors.ts";

/** The most operations that a patch may have. */
const mostOperations = 10_000;

type Container = Record<string, unknown> | unknown[];

interface Operation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

/**
 * A JSON patch (RFC 6902) as the API server understands it, which is not quite the RFC: `replace` sets what is not there, negative indexes count from the end, what stands before a path's first
 * slash is ignored, `copy` of nothing is null (gopkg.in/evanphx/json-patch.v4). Gives a new document. Throws a StatusError: 400 where it is no patch, 413 beyond 10,000 operations, 422 where an operation fails.
 */
export function jsonPatch<T>(document: T, operations: unknown): T {
  if (operations === null) return document;
  if (!Array.isArray(operations)) throw undecodable(operations, "[]handlers.jsonPatchOp");
  if (operations.length > mostOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${mostOperations}, got ${operations.length}`;
    throw tooLarge(message);
  }
  const root = { document: clone(document) as unknown };
  for (const operation of operations as unknown[]) {
    if (!isFields(operation)) throw undecodable(operation, "handlers.jsonPatchOp");
    apply(root, operation);
  }
  return root.document as T;
}

function undecodable(value: unknown, type: string): Error {
  return badRequest(`error decoding patch: json: cannot unmarshal ${jsonKind(value)} into Go value of type ${type}`);
}

function apply(root: { document: unknown }, operation: Operation): void {
  const { op, path, value = null } = operation;
  for (const name of ["op", "path", "from"] as const) {
    const text = operation[name];
    if (text === undefined || text === null || typeof text === "string") continue;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(text)} into Go struct field jsonPatchOp.${name} of type string`,
    );
  }
  if (typeof path !== "string") throw rejected();
  if (op === "move") move(root.document, operation.from, path);
  else if (path === "" && op === "replace") root.document = clone(value);
  else if (path === "" && op === "test") requireEqual(root.document, value);
  else applyAt(root.document, operation, find(root.document, path));
}

function applyAt(document: unknown, operation: Operation, at: Place): void {
  const { op, from, value = null } = operation;
  switch (op) {
    case "add":
      return add(at, clone(value));
    case "remove":
      return remove(at);
    case "replace":
      return replace(at, clone(value));
    case "test":
      return requireEqual(read(at) ?? null, value);
    case "copy":
      return add(at, clone(read(find(document, from)) ?? null));
    default:
      throw rejected();
  }
}

/** The place is looked for when what moves is gone, so that nothing moves into itself. */
function move(document: unknown, from: unknown, path: string): void {
  const source = find(document, from);
  const moved = read(source);
  remove(source);
  add(find(document, path), moved);
}

/** A field or index in a container that exists. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

function find(document: unknown, path: unknown): Place {
  if (typeof path !== "string") throw rejected();
  const keys = path.split("/").slice(1).map(unescapeKey);
  const key = keys.pop();
  if (key === undefined) throw rejected();
  let container = asContainer(document);
  for (const step of keys) container = asContainer(read({ container, key: step }));
  return { container, key };
}

function unescapeKey(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}

function asContainer(value: unknown): Container {
  if (Array.isArray(value) || isFields(value)) return value;
  throw rejected();
}

function read({ container, key }: Place): unknown {
  if (Array.isArray(container)) return container[index(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function add({ container, key }: Place, value: unknown): void {
  if (!Array.isArray(container)) setField(container, key, value);
  else container.splice(key === "-" ? container.length : index(key, container.length + 1), 0, value);
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) {
    container.splice(index(key, container.length), 1);
    return;
  }
  if (!Object.hasOwn(container, key)) throw rejected();
  delete container[key];
}

function replace({ container, key }: Place, value: unknown): void {
  if (Array.isArray(container)) container[index(key, container.length)] = value;
  else setField(container, key, value);
}

/** The index that a key names in a list of `count` places; from the end where it is negative. */
function index(key: string, count: number): number {
  const number = /^[+-]?\d+$/.test(key) ? Number(key) : Number.NaN;
  if (!(number < count && number >= -count)) throw rejected();
  return number < 0 ? number + count : number;
}

function requireEqual(actual: unknown, expected: unknown): void {
  if (!deepEqual(actual, expected)) throw rejected();
}
