import * as fc from "fast-check";

/** Texts that mean something to somebody on the way: paths, shells, terminals, prototypes, parsers. */
export const texts = [
  "",
  ".",
  "..",
  "../../etc/passwd",
  "/dev/null",
  "a/b",
  "$(touch /tmp/owned)",
  "`id`; id",
  "__proto__",
  "constructor",
  "toString",
  "a\u0000b",
  "a\nb",
  "\u001b[31mred\u001b[0m",
  "\u009b31m",
  "%2e%2e%2f",
  "%",
  "-",
  "A",
  "é",
  "\u{1f6a2}",
  "\ud800",
  "1e999",
  "0x10",
  "9223372036854775808",
  "-1",
  "10.0.0.1",
  "256.1.1.1",
  "::1",
  "1Gi",
  "1.5.5",
  "true",
  "null",
  "2026-01-01T00:00:00Z",
  "yesterday",
  "x".repeat(64),
  "x".repeat(300),
] as const;

const deep = (depth: number) => JSON.parse(`${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`) as unknown;

/** What may stand where something sensible stood. */
export const values: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...texts) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e21, 2 ** 31, 2 ** 53, -(2 ** 63)) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>([], {}, [null], [[]], [{}], { a: null }, { "": "" }, deep(50)) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** Parts of a path as they go over the wire. */
export const segments = fc.oneof(
  fc.constantFrom(...texts).map(encodeURIComponentLeniently),
  fc.constantFrom("..", "%2e%2e", "a%2fb", "%00", "%0d%0aX: 1", "%ff", "%zz", "", ".", "~", "a;b", "x".repeat(3000)),
);

function encodeURIComponentLeniently(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

const parameters = [
  "limit",
  "continue",
  "resourceVersion",
  "resourceVersionMatch",
  "labelSelector",
  "fieldSelector",
  "dryRun",
  "fieldManager",
  "fieldValidation",
  "force",
  "pretty",
  "gracePeriodSeconds",
  "propagationPolicy",
  "orphanDependents",
  "sendInitialEvents",
  "allowWatchBookmarks",
  "includeObject",
  "tailLines",
  "container",
  "__proto__",
] as const;
const parameterValues = fc.oneof(
  fc.constantFrom<string>(...texts),
  fc.constantFrom(
    "0",
    "1",
    "All",
    "Exact",
    "NotOlderThan",
    "Strict",
    "Warn",
    "Ignore",
    "a in (b",
    "a=b,c!=d",
    "!a",
    "metadata.name=x",
    "status.phase!=Running",
    "a>1",
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
);

/** A query that may make no sense. */
export const queries = fc
  .array(fc.tuple(fc.constantFrom(...parameters), parameterValues), { maxLength: 3 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${encodeURIComponentLeniently(value)}`).join("&"));

const printable = /[^\t\u0020-\u007e\u0080-\u00ff]/g;
const headerValues = fc.constantFrom(...texts).map((text) => text.replace(printable, "?"));

/** Headers that may make no sense. */
export const headers = fc.array(
  fc.oneof(
    fc.tuple(
      fc.constantFrom(
        "Accept",
        "Accept-Encoding",
        "Impersonate-User",
        "Impersonate-Group",
        "Impersonate-Extra-x",
        "User-Agent",
        "X-Forwarded-For",
        "Audit-Id",
      ),
      headerValues,
    ),
    fc.tuple(
      fc.constant("Accept"),
      fc.constantFrom(
        "application/yaml",
        "application/json;as=Table;g=meta.k8s.io;v=v1",
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        "application/vnd.kubernetes.protobuf",
        "text/html",
        "*/*",
      ),
    ),
  ),
  { maxLength: 2 },
);
