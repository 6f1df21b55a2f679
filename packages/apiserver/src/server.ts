import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Clock, type Reporter, silent, systemClock } from "@dhow/base";
import { builtInResources, type HttpRequest, type HttpResponse, statusOf, unknownResource } from "@dhow/kube";
import type { AdmissionPlugin, UserInfo } from "./admission.ts";
import { readBody } from "./http/body.ts";
import { mediaTypeOf } from "./http/decode.ts";
import { serveResource } from "./http/dispatch.ts";
import { json, type Renderer } from "./http/render.ts";
import { parseRequestInfo, type RequestInfo } from "./http/request-info.ts";
import type { Call } from "./registry/call.ts";
import { strategies } from "./kinds/index.ts";
import { Catalog } from "./registry/catalog.ts";
import type { Registry } from "./registry/registry.ts";
import { hasSubresource } from "./registry/resource.ts";
import { createStore } from "./registry/store.ts";
import { memoryJournal } from "./storage/journal.ts";
import { openSqliteJournal } from "./storage/sqlite-journal.ts";
import { Storage } from "./storage/storage.ts";

/** A request with what is known of who sends it. */
export interface ApiRequest extends HttpRequest {
  readonly connection: {
    readonly remoteAddress: string;
    /** Subject of the certificate that the client proved to hold; its issuer is checked by who listens. */
    readonly clientCertificate?: { readonly commonName: string; readonly organizations: readonly string[] };
    /** Set only by callers in the same process, who are believed. */
    readonly user?: UserInfo;
  };
}

export interface ApiServerOptions {
  /** Where the store lives; without it everything is forgotten at the end. */
  readonly folder?: string;
  readonly clock?: Clock;
  readonly reporter?: Reporter;
  readonly serviceCidr?: string;
  readonly nodePortRange?: readonly [number, number];
  /** PEM of the cluster's certificate authority. */
  readonly certificateAuthority?: string;
  readonly serviceAccountKey?: string;
  readonly tokens?: readonly { readonly token: string; readonly user: UserInfo }[];
  /** Reaches the HTTP interface of a node's kubelet. */
  readonly dialKubelet?: (nodeName: string) => Promise<Duplex>;
  /** Where clients in the cluster find the API. */
  readonly advertise?: { readonly address: string; readonly port: number };
}

export interface ApiServer {
  handle(request: ApiRequest): Promise<HttpResponse>;
  /** Takes over a connection that asked to become something else (exec, attach, port-forward). */
  upgrade(request: ApiRequest, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const clock = options.clock ?? systemClock;
  const reporter = options.reporter ?? silent;
  const storage = new Storage(options.folder ? openSqliteJournal(join(options.folder, "store")) : memoryJournal());
  const catalog = new Catalog(builtInResources, strategies);
  const plugins: AdmissionPlugin[] = [];
  const registry: Registry = { storage, store: createStore(storage, catalog, clock), clock, admission: plugins };
  const renderer: Renderer = {
    tables: { table: () => ({ kind: "Table", apiVersion: "meta.k8s.io/v1", columnDefinitions: [], rows: [] }) },
    yaml: (value) => JSON.stringify(value),
  };
  const core = new Core(options, registry, catalog, renderer, reporter);
  return {
    handle: (request) => core.handle(request),
    upgrade: (_request, socket) => socket.destroy(),
    close: async () => storage.close(),
  };
}

const noOne: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

class Core {
  readonly #options: ApiServerOptions;
  readonly #registry: Registry;
  readonly #catalog: Catalog;
  readonly #renderer: Renderer;
  readonly #reporter: Reporter;

  constructor(options: ApiServerOptions, registry: Registry, catalog: Catalog, renderer: Renderer, reporter: Reporter) {
    this.#options = options;
    this.#registry = registry;
    this.#catalog = catalog;
    this.#renderer = renderer;
    this.#reporter = reporter;
  }

  async handle(request: ApiRequest): Promise<HttpResponse> {
    const warnings: string[] = [];
    let response: HttpResponse;
    try {
      response = await this.#answer(request, warnings);
    } catch (error) {
      response = this.#failure(error, request);
    }
    const headers: Record<string, string> = {
      "audit-id": request.headers["audit-id"] ?? randomUUID(),
      "cache-control": "no-cache, private",
      ...response.headers,
    };
    if (warnings.length > 0) headers["warning"] = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(", ");
    return { ...response, headers };
  }

  async #answer(request: ApiRequest, warnings: string[]): Promise<HttpResponse> {
    const info = parseRequestInfo(request.method, request.path);
    const user = this.#authenticate(request);
    if (!info.target) return notAPage();
    const call = await this.#call(request, info, user, warnings);
    const exchange = {
      registry: this.#registry,
      renderer: this.#renderer,
      call,
      verb: info.verb,
      accept: request.headers["accept"],
    };
    if (call.subresource === "" || call.subresource === "status") return serveResource(exchange);
    throw unknownResource();
  }

  #authenticate(request: ApiRequest): UserInfo {
    if (request.connection.user) return request.connection.user;
    const token = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1];
    return this.#options.tokens?.find((one) => one.token === token)?.user ?? noOne;
  }

  async #call(request: ApiRequest, info: RequestInfo, user: UserInfo, warnings: string[]): Promise<Call> {
    const target = info.target as NonNullable<RequestInfo["target"]>;
    const resource = this.#catalog.find(target.group, target.version, target.resource);
    if (!resource) throw unknownResource();
    if (target.subresource !== "" && !hasSubresource(resource, target.subresource)) throw unknownResource();
    return {
      resource,
      subresource: target.subresource,
      namespace: target.namespace,
      name: target.name,
      query: info.query,
      user,
      userAgent: request.headers["user-agent"] ?? "",
      contentType: mediaTypeOf(request.headers["content-type"]),
      body: await readBody(request.body),
      signal: request.signal,
      warn: (message) => void warnings.push(message),
    };
  }

  #failure(error: unknown, request: ApiRequest): HttpResponse {
    const status = statusOf(error);
    const code = status.code ?? 500;
    if (code >= 500 && status.reason === undefined) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#reporter.report({ kind: "apiserver.failure", level: "error", subject: request.path, message });
    }
    const response = json(code, JSON.stringify(status));
    const wait = status.details?.retryAfterSeconds;
    return wait ? { ...response, headers: { ...response.headers, "retry-after": String(wait) } } : response;
  }
}

function notAPage(): HttpResponse {
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  return { status: 404, headers, body: "404 page not found\n" };
}
