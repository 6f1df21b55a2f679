import { createHash } from "node:crypto";
import {
  type HttpResponse,
  openapiHash,
  openapiKey,
  openapiV2,
  openapiV3,
  openapiV3Index,
  type ResourceInfo,
} from "@dhow/kube";
import type { Page, PageRequest } from "../http/pages.ts";

/** Seconds for which a document with its hash may be kept: a year, as upstream. */
const keep = 31_536_000;

/** Documents that were asked for, as text, by key and hash; making one takes some tens of milliseconds. */
type Documents = Map<string, string>;

/** Clients that speak protobuf only are refused, and go on without (client-go's OpenAPI v2). */
function takesJson(accept: string | undefined): boolean {
  return (
    !accept ||
    accept
      .split(",")
      .some((wish) => /^\s*(?:application\/json|application\/\*|\*\/\*)(?:\s*;\s*q=[\d.]+)?\s*$/.test(wish))
  );
}

const notAcceptable: HttpResponse = { status: 406, headers: {}, body: "" };

function remember(documents: Documents, key: string, hash: string, make: () => object | undefined): string | undefined {
  const name = `${key} ${hash}`;
  const known = documents.get(name);
  if (known !== undefined) return known;
  const made = make();
  if (!made) return undefined;
  const text = JSON.stringify(made);
  if (documents.size > 8) documents.clear();
  documents.set(name, text);
  return text;
}

/** `/openapi/v3/<key>?hash=…` (kube-openapi/pkg/handler3/handler.go): with the right hash it may be kept for ever, a stale one is sent on. */
function document(request: PageRequest, served: readonly ResourceInfo[], documents: Documents): HttpResponse {
  const key = request.path.slice("/openapi/v3/".length);
  const isServed = served.some((info) => openapiKey(info) === key);
  if (!isServed) return { status: 404, headers: {}, body: "" };
  if (!takesJson(request.headers["accept"])) return notAcceptable;
  const hash = openapiHash(key, served);
  const etag = `"${hash}"`;
  const asked = request.query.get("hash");
  if (asked !== null && asked !== hash) {
    const location = `/openapi/v3/${key}?hash=${hash}`;
    return { status: 301, headers: { etag, location, vary: "Accept" }, body: "" };
  }
  const headers: Record<string, string> = { etag, vary: "Accept", "content-type": "application/json" };
  if (asked !== null) headers["cache-control"] = `public, immutable, max-age=${keep}`;
  if (request.headers["if-none-match"] === etag) return { status: 304, headers, body: "" };
  const body = remember(documents, key, hash, () => openapiV3(key, served));
  return { status: 200, headers, body: body ?? "" };
}

function v2(request: PageRequest, served: readonly ResourceInfo[], documents: Documents): HttpResponse {
  if (!takesJson(request.headers["accept"])) return notAcceptable;
  const hash = createHash("sha512")
    .update(JSON.stringify(openapiV3Index(served)))
    .digest("hex")
    .toUpperCase();
  const headers = { etag: `"${hash}"`, vary: "Accept", "content-type": "application/json" };
  if (request.headers["if-none-match"] === headers.etag) return { status: 304, headers, body: "" };
  const body = remember(documents, "v2", hash, () => openapiV2(served));
  return { status: 200, headers, body: body ?? "" };
}

/**
 * Answers `/openapi/v3`, the documents below it, and `/openapi/v2`.
 * @param served what is served at the time.
 */
export function openapiPage(served: () => readonly ResourceInfo[]): Page {
  const documents: Documents = new Map();
  return (request) => {
    if (request.path === "/openapi/v3") {
      const body = JSON.stringify(openapiV3Index(served()));
      return { status: 200, headers: { "content-type": "application/json" }, body };
    }
    if (request.path.startsWith("/openapi/v3/")) return document(request, served(), documents);
    return request.path === "/openapi/v2" ? v2(request, served(), documents) : undefined;
  };
}
