import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Reporter } from "@dhow/base";
import {
  badRequest,
  goJson,
  type HttpResponse,
  quote,
  StatusError,
  statusOf,
  unknownMethod,
  unknownResource,
} from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import { impersonate } from "../authentication/impersonation.ts";
import { forbiddenRequest } from "../authorization/attributes.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Call } from "../registry/call.ts";
import type { Catalog } from "../registry/catalog.ts";
import type { Registry } from "../registry/registry.ts";
import { checkPathName, hasSubresource, type Resource } from "../registry/resource.ts";
import { plainFailure } from "../registry/revision.ts";
import type { ApiRequest } from "../server.ts";
import { readBody } from "./body.ts";
import { compressed } from "./compress.ts";
import { type CountedAs, countedAs } from "./counted-as.ts";
import { mediaTypeOf } from "./decode.ts";
import { type Exchange, serveResource } from "./dispatch.ts";
import type { Metrics } from "./metrics.ts";
import { notAPage, type Page } from "./pages.ts";
import { type Negotiated, negotiate } from "./negotiation.ts";
import { json, render, type Renderer } from "./render.ts";
import { parseRequestInfo, type RequestInfo, type ResourceTarget } from "./request-info.ts";

/** Answers for a subresource, or for a resource that is not stored; by `pods/log`, `pods/*`, or `tokenreviews.authentication.k8s.io`. */
export type SpecialHandler = (exchange: Exchange, request: ApiRequest, info: RequestInfo) => Promise<HttpResponse>;

/** Takes over a connection for a subresource. */
export type UpgradeHandler = (
  call: Call,
  request: ApiRequest,
  info: RequestInfo,
  socket: Duplex,
  head: Buffer,
) => Promise<void>;

export interface HandlerParts {
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly renderer: Renderer;
  readonly reporter: Reporter;
  readonly metrics: Metrics;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly pages: readonly Page[];
  readonly special: Readonly<Record<string, SpecialHandler>>;
  readonly upgrades: Readonly<Record<string, UpgradeHandler>>;
}

/** From a request to its answer: who asks, whether that is allowed, what to do, how to say it. */
export class Handler {
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  async handle(request: ApiRequest): Promise<HttpResponse> {
    const warnings: string[] = [];
    const info = parseRequestInfo(request.method, request.path);
    if (!info) return malformed();
    const finish = this.#parts.metrics.begin();
    let counted: CountedAs | undefined;
    let response: HttpResponse;
    try {
      const user = await this.#admitUser(request, info);
      counted = countedAs(info, request, this.#resourceOf(info));
      response = await this.#answer(request, info, user, warnings);
      response = await compressed(response, request.headers["accept-encoding"]);
    } catch (error) {
      response = this.#failure(error, request);
    }
    finish(response.status, counted);
    const headers: Record<string, string> = {
      "audit-id": request.headers["audit-id"] ?? randomUUID(),
      "cache-control": "no-cache, private",
      ...response.headers,
    };
    if (warnings.length > 0) headers["warning"] = warningHeader(warnings);
    return { ...response, headers, ...(request.method === "HEAD" ? { body: "" } : {}) };
  }

  upgrade(request: ApiRequest, socket: Duplex, head: Buffer): void {
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      const { status, headers, body } = this.#failure(error, request);
      const text = body as string;
      const lines = Object.entries({ ...headers, "content-length": Buffer.byteLength(text), connection: "close" });
      socket.end(
        `HTTP/1.1 ${status} ${statusText(status)}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${text}`,
      );
    });
  }

  async #upgrade(request: ApiRequest, socket: Duplex, head: Buffer): Promise<void> {
    const info = parseRequestInfo(request.method, request.path);
    if (!info || request.method === "CONNECT") throw info ? unknownMethod() : badRequest("malformed path");
    const user = await this.#admitUser(request, info);
    if (!info.target) throw unknownResource();
    const call = await this.#call(request, undefined, info, user, []);
    const handler = this.#parts.upgrades[`${call.resource.name}/${call.subresource}`];
    if (!handler) throw unknownResource();
    checkPathName(info.target.name);
    await handler(call, request, info, socket, head);
  }

  async #answer(request: ApiRequest, info: RequestInfo, user: UserInfo, warnings: string[]): Promise<HttpResponse> {
    const { target } = info;
    if (!target) return this.#page(request, info);
    if (!this.#hasPath(target)) return notAPage();
    const special = this.#special(info);
    const streams = special !== undefined && target.subresource === "proxy";
    const call = await this.#call(request, streams ? undefined : request.body, info, user, warnings);
    const exchange: Exchange = {
      registry: this.#parts.registry,
      renderer: this.#parts.renderer,
      call,
      verb: info.verb,
      method: request.method,
      accept: request.headers["accept"],
    };
    if (special) {
      const of = call.resource.info.subresources.find(({ name }) => name === target.subresource);
      // A proxy passes on whatever it is asked.
      if (of && of.name !== "proxy" && !of.verbs.includes(info.verb)) throw unknownMethod();
      checkPathName(target.name);
      return special(exchange, request, info);
    }
    if (call.subresource === "" || call.subresource === "status") return serveResource(exchange);
    throw unknownResource();
  }

  /** Where nobody serves the group, nobody words a Status either; nor does who serves custom resources for others than these. */
  #hasPath({ group, resource, version }: NonNullable<RequestInfo["target"]>): boolean {
    const { catalog } = this.#parts;
    if (group === "" || catalog.find(group, version, resource)) return true;
    return catalog.ofGroup(group).some(({ custom }) => custom === undefined);
  }

  #special({ target }: RequestInfo): SpecialHandler | undefined {
    if (!target) return undefined;
    const name = target.group === "" ? target.resource : `${target.resource}.${target.group}`;
    const find = (key: string) => (Object.hasOwn(this.#parts.special, key) ? this.#parts.special[key] : undefined);
    return target.subresource === ""
      ? find(name)
      : (find(`${name}/${target.subresource}`) ?? find(`*/${target.subresource}`));
  }

  /** Who asks; throws where that is not good, or what is asked not allowed. */
  async #admitUser(request: ApiRequest, info: RequestInfo): Promise<UserInfo> {
    const { authenticator, authorizer } = this.#parts;
    const { target, verb, path } = info;
    const asked = target ? { verb, resource: authorizedTarget(target) } : { verb, path };
    const user = impersonate(await authenticator.authenticate(request), request.headers, authorizer, asked);
    const attributes = { user, ...asked };
    const decision = authorizer.authorize(attributes);
    if (!decision.allowed) throw forbiddenRequest(attributes, decision.reason);
    return user;
  }

  async #page({ method, headers }: ApiRequest, { path, query }: RequestInfo): Promise<HttpResponse> {
    for (const page of this.#parts.pages) {
      const response = await page({ method, headers, path, query });
      if (response) return response;
    }
    if (/^\/api\/[^/]+\/?$/.test(path)) throw unknownResource();
    return notAPage();
  }

  #resourceOf({ target }: RequestInfo): Resource | undefined {
    return target && this.#parts.catalog.find(target.group, target.version, target.resource);
  }

  async #call(
    request: ApiRequest,
    body: ApiRequest["body"],
    info: RequestInfo,
    user: UserInfo,
    warnings: string[],
  ): Promise<Call> {
    const target = info.target as NonNullable<RequestInfo["target"]>;
    const resource = this.#resourceOf(info);
    if (!resource) throw unknownResource();
    if (target.subresource !== "" && !hasSubresource(resource, target.subresource)) throw unknownResource();
    checkNamespace(resource, target);
    const named = ["delete", "get", "patch", "update"];
    if (target.name !== "" && !resource.info.verbs.some((verb) => named.includes(verb))) throw unknownResource();
    return {
      resource,
      subresource: target.subresource,
      namespace: target.namespace,
      name: target.name,
      query: info.query,
      user,
      userAgent: request.headers["user-agent"] ?? "",
      contentType: mediaTypeOf(request.headers["content-type"]),
      body: await readBody(body),
      signal: () => request.signal,
      warn: (message) => void warnings.push(message),
    };
  }

  #failure(error: unknown, request: ApiRequest): HttpResponse {
    const status = statusOf(error instanceof RangeError && isStackOverflow(error) ? badRequest(tooDeep) : error);
    const code = status.code ?? 500;
    // A StatusError without a reason is a 500 that a real server answers too.
    if (!(error instanceof StatusError) && code >= 500) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#parts.reporter.report({ kind: "apiserver.failure", level: "error", subject: request.path, message });
    }
    const how = wordsFor(request.headers["accept"]);
    const response =
      how.format === "json" ? json(code, goJson(status)) : render(this.#parts.renderer, code, status, how);
    const wait = status.details?.retryAfterSeconds;
    return wait ? { ...response, headers: { ...response.headers, "retry-after": String(wait) } } : response;
  }
}

/** A namespace that could be no part of a path is no place to look into. */
function checkNamespace({ info }: Resource, { name, namespace = "" }: ResourceTarget): void {
  if ((namespace === "." || namespace === "..") && name === "")
    throw plainFailure(`invalid key: ${quote(`/${info.resource}/${namespace}`)}`);
}

const noQuery = new URLSearchParams();

/** How a failure is written: as was asked for where that can be, in JSON elsewhere (ErrorNegotiated in apiserver/pkg/endpoints/handlers/responsewriters). */
function wordsFor(accept: string | undefined): Negotiated {
  try {
    const how = negotiate(accept, noQuery, false);
    // What becomes a table, or metadata, is no failure.
    return how.as === "object" ? how : negotiate(undefined, noQuery, false);
  } catch {
    return negotiate(undefined, noQuery, false);
  }
}

/** As Go's net/http answers what is no HTTP, before anything of the API server sees it. */
function malformed(): HttpResponse {
  return {
    status: 400,
    headers: { "content-type": "text/plain; charset=utf-8", connection: "close" },
    body: "400 Bad Request",
  };
}

/** Names of namespaces themselves are in their own place for roles (requestinfo.go). */
function authorizedTarget(target: NonNullable<RequestInfo["target"]>) {
  if (target.group !== "" || target.resource !== "namespaces" || target.name === "") return target;
  return { ...target, namespace: target.name };
}

/** Deeper than this server can follow, though not than the text may be. */
const tooDeep = "the object is nested too deeply";

function isStackOverflow({ message }: RangeError): boolean {
  return message === "Maximum call stack size exceeded";
}

function statusText(status: number): string {
  return { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found" }[status] ?? "Error";
}

/** RFC 7234, 5.5, as apimachinery/pkg/util/net/http.go writes it; a client must be able to show them on one line. */
function warningHeader(warnings: readonly string[]): string {
  return [...new Set(warnings)].map((message) => `299 - ${quoted(message)}`).join(", ");
}

function quoted(message: string): string {
  // Go refuses control characters in a warning; here what is left of it is told.
  const oneLine = message
    .replace(/[\r\n]+/g, " ")
    .replace(/\p{Cc}/gu, "")
    .replace(/(["\\])/g, "\\$1");
  // Header values are Latin-1 for Node; other characters become their UTF-8 bytes.
  return `"${Buffer.from(oneLine, "utf8").toString("latin1")}"`;
}
