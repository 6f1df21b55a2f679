import { createHash } from "node:crypto";
import {
  type HttpResponse,
  openapiHash,
  openapiKey,
  openapiV2,
  openapiV2Protobuf,
  openapiV3,
  openapiV3Index,
  type ResourceInfo,
} from "@dhow/kube";
import type { Page, PageRequest } from "../http/pages.ts";

/** Seconds for which a document with its hash may be kept: a year, as upstream. */
const keep = 31_536_000;

type Body = string | Uint8Array;

/** Documents that were asked for, as they are sent, by key and hash; making one takes some tens of milliseconds, and hundreds for all of v2. */
type Documents = Map<string, Body>;

/** How a document may be written: its type in an `Accept` header, and as the answer says it. */
interface Form {
  readonly asked: RegExp;
  readonly type: string;
  readonly write: (document: Record<string, unknown>) => Body;
}

const jsonForm: Form = {
  asked: /^(?:application\/json|application\/\*|\*\/\*)$/,
  type: "application/json",
  write: (document) => JSON.stringify(document),
};

/** The only form that client-go asks v2 for. An `@` is no character of a media type: the answer goes without (kube-openapi/pkg/handler/handler.go). */
const protobufForm: Form = {
  asked: /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/,
  type: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  write: openapiV2Protobuf,
};

/** The first of the client's wishes that can be kept; undefined where none can. */
function chooseForm(accept: string | undefined, forms: readonly Form[]): Form | undefined {
  const wishes = (accept || "*/*").split(",").map((wish) => wish.split(";")[0]?.trim() ?? "");
  for (const wish of wishes) {
    const form = forms.find(({ asked }) => asked.test(wish));
    if (form) return form;
  }
  return undefined;
}

const notAcceptable: HttpResponse = { status: 406, headers: {}, body: "" };

function remember(documents: Documents, key: string, hash: string, make: () => Body): Body {
  const name = `${key} ${hash}`;
  const known = documents.get(name);
  if (known !== undefined) return known;
  const made = make();
  if (documents.size > 8) documents.clear();
  documents.set(name, made);
  return made;
}

/** `/openapi/v3/<key>?hash=…` (kube-openapi/pkg/handler3/handler.go): with the right hash it may be kept for ever, a stale one is sent on. */
function document(request: PageRequest, served: readonly ResourceInfo[], documents: Documents): HttpResponse {
  const key = request.path.slice("/openapi/v3/".length);
  const isServed = served.some((info) => openapiKey(info) === key);
  if (!isServed) return { status: 404, headers: {}, body: "" };
  if (!chooseForm(request.headers["accept"], [jsonForm])) return notAcceptable;
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
  const body = remember(documents, key, hash, () => jsonForm.write(openapiV3(key, served) ?? {}));
  return { status: 200, headers, body };
}

function v2(request: PageRequest, served: readonly ResourceInfo[], documents: Documents): HttpResponse {
  const form = chooseForm(request.headers["accept"], [jsonForm, protobufForm]);
  if (!form) return notAcceptable;
  const hash = createHash("sha512")
    .update(JSON.stringify(openapiV3Index(served)))
    .digest("hex")
    .toUpperCase();
  const headers = { etag: `"${hash}"`, vary: "Accept", "content-type": form.type };
  if (request.headers["if-none-match"] === headers.etag) return { status: 304, headers, body: "" };
  const body = remember(documents, form.type, hash, () => form.write(openapiV2(served)));
  return { status: 200, headers, body };
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
