import { posix } from "node:path";
import { messageOf } from "@dhow/base";
import { badRequest, jsonKind, parseJson, StatusError } from "@dhow/kube";

/** Where the next page of a list begins, and the revision that all pages show; -1: whatever is there then. */
export interface ContinueToken {
  readonly revision: number;
  /** The first key of the next page. */
  readonly start: string;
}

/** The form is that of apiserver/pkg/storage/continue.go. */
export function encodeContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start })).toString("base64url");
}

export function decodeContinue(text: string): ContinueToken {
  const fail = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = parseJson(decodeBase64(text)) ?? {};
  } catch (error) {
    throw fail(messageOf(error));
  }
  const wrong = wrongType(token);
  if (wrong) throw fail(`json: cannot unmarshal ${wrong}`);
  const { v = "", rv, start } = token;
  if (v !== "meta.k8s.io/v1") throw fail(`server does not recognize this encoded version ${String(v)}`);
  if (typeof rv !== "number" || rv === 0)
    throw fail("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof start !== "string" || start === "") {
    throw fail("encoded start key empty (version meta.k8s.io/v1)");
  }
  // A key is a path, and one that climbs is none of ours (DecodeContinue).
  if (posix.join("/", start) !== (start.startsWith("/") ? start : `/${start}`)) throw fail(start);
  return { revision: rv, start };
}

/** Base64 for addresses without padding, as Go's RawURLEncoding reads it. */
function decodeBase64(text: string): string {
  const bad = text.search(/[^A-Za-z0-9_-]/);
  const at = bad >= 0 ? bad : text.length % 4 === 1 ? text.length - 1 : -1;
  if (at >= 0) throw new Error(`illegal base64 data at input byte ${at}`);
  return Buffer.from(text, "base64url").toString("latin1");
}

/** What Go's decoder would say of a value that is not of the token's type. */
function wrongType(token: unknown): string | undefined {
  if (typeof token !== "object" || Array.isArray(token))
    return `${jsonKind(token)} into Go value of type storage.continueToken`;
  const types = { v: "string", rv: "int64", start: "string" } as const;
  for (const [name, value] of Object.entries(token as object)) {
    const type = Object.hasOwn(types, name) ? types[name as keyof typeof types] : undefined;
    if (type === undefined || value === null || typeof value === (type === "string" ? "string" : "number")) continue;
    return `${jsonKind(value)} into Go struct field continueToken.${name} of type ${type}`;
  }
  return undefined;
}

/** The pages' revision is forgotten; the token in the answer goes on without consistency (etcd3/errors.go). */
export function continueExpired(token: ContinueToken): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: { continue: encodeContinue({ revision: -1, start: token.start }) },
    status: "Failure",
    message:
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    reason: "Expired",
    code: 410,
  });
}
