import { hash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type PeerCertificate, TLSSocket } from "node:tls";
import { http } from "@dhow/base/http";
import type { HttpRequest, HttpResponse } from "@dhow/kube";
import type { ApiRequest, ApiServer } from "../server.ts";

/** What a node:http or node:https server is given as its `request` and `upgrade` listeners. */
export interface Listeners {
  readonly request: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  readonly upgrade: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly connect: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly clientError: (error: Error & { readonly code?: string }, socket: Duplex) => void;
}

/** How a node:http or node:https server is to be made. */
export const httpServerOptions: ServerOptions = {
  // client-go keeps idle connections for 90 s; closing them first would make its next request fail.
  keepAliveTimeout: 120_000,
  // A body may come this slowly, headers faster.
  requestTimeout: 60_000,
  headersTimeout: 20_000,
  connectionsCheckingInterval: 5_000,
  /** net/http/server.go DefaultMaxHeaderBytes. */
  maxHeaderSize: 1 << 20,
};

/** Connects Node's HTTP servers with an API server; who listens, and where, is the caller's business. */
export function httpListeners(server: ApiServer): Listeners {
  const request: Listeners["request"] = (incoming, outgoing) => {
    respond(server, incoming, outgoing).catch((error: unknown) => {
      outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  };
  return {
    request,
    upgrade(incoming, socket, head) {
      if (!upgradable.test(incoming.url ?? "")) return answerPlainly(incoming, socket as Socket, request);
      socket.on("error", () => socket.destroy());
      server.upgrade(new IncomingRequest(incoming), socket, head);
    },
    connect(incoming, socket, head) {
      socket.on("error", () => socket.destroy());
      server.upgrade(new IncomingRequest(incoming), socket, head);
    },
    clientError({ code }, socket) {
      // OpenSSL tells of a bad certificate once more when the connection ends, after the answer.
      if (!socket.writable || code?.startsWith("ERR_SSL_")) return void socket.destroy();
      const status = refusals[code ?? ""] ?? "400 Bad Request";
      const headers = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
      socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${status}`, () => socket.destroy());
    },
  };
}

/** What may become another protocol; a wish for that is passed over elsewhere, as HTTP/1.1 has it (RFC 9110, 7.8). */
const upgradable = /\/(?:exec|attach|portforward|proxy)(?:[/?]|$)/;

function answerPlainly(incoming: IncomingMessage, socket: Socket, request: Listeners["request"]): void {
  const outgoing = new http.ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket);
  outgoing.once("finish", () => socket.end());
  request(incoming, outgoing);
}

/** What is no HTTP, or not soon enough, is answered as by Go's net/http. */
const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

async function respond(server: ApiServer, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  // About the server itself (RFC 9110, 9.3.7), of which Go's net/http says nothing but that it is there.
  if (incoming.url === "*" && incoming.method === "OPTIONS") return void outgoing.writeHead(200).end();
  const response = await server.handle(new IncomingRequest(incoming, outgoing));
  outgoing.writeHead(response.status, headersOf(response));
  if (typeof response.body === "string" || response.body instanceof Uint8Array) {
    outgoing.end(response.body);
    return;
  }
  outgoing.flushHeaders();
  response.cut?.addEventListener("abort", () => outgoing.destroy(), { once: true });
  for await (const piece of response.body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(piece)) await drained(outgoing);
  }
  outgoing.end();
}

/** Aborted when the client is gone. Made only for those who ask, as few requests last long enough to need it. */
function signalOf(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (outgoing.destroyed) gone.abort();
  else outgoing.once("close", () => gone.abort());
  return gone.signal;
}

/** Resolves when more may be written, or nobody reads any more; leaves no listener behind on an answer that goes on for an hour. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}

function headersOf({ headers, body }: HttpResponse): Record<string, string | string[] | number> {
  const { warning, ...rest } = headers;
  const all: Record<string, string | string[] | number> = rest;
  // Many clients understand one warning a header line only.
  if (warning !== undefined) all["warning"] = warning.split(/, (?=299 - ")/);
  if (typeof body === "string") all["content-length"] = Buffer.byteLength(body);
  else if (body instanceof Uint8Array) all["content-length"] = body.byteLength;
  return all;
}

/** A class, as a getter of its own on every object costs more than all the rest here. */
class IncomingRequest implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpRequest["body"];
  readonly connection: ApiRequest["connection"];
  readonly #outgoing: ServerResponse | undefined;
  #signal: AbortSignal | undefined;

  constructor(incoming: IncomingMessage, outgoing?: ServerResponse) {
    const { method = "GET", url = "/" } = incoming;
    this.method = method;
    this.path = url;
    this.headers = joined(incoming.headers);
    const { "content-length": length, "transfer-encoding": coding } = this.headers;
    const hasBody = (length !== undefined || coding !== undefined) && length !== "0";
    this.body = hasBody ? incoming : undefined;
    this.connection = connectionOf(incoming.socket);
    this.#outgoing = outgoing;
  }

  get signal(): AbortSignal | undefined {
    return this.#outgoing && (this.#signal ??= signalOf(this.#outgoing));
  }
}

function joined(given: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in given) {
    const value = given[name];
    if (value !== undefined) headers[name] = typeof value === "string" ? value : value.join(", ");
  }
  return headers;
}

const connections = new WeakMap<Socket, ApiRequest["connection"]>();

/** Worked out once a connection: who is at its other end does not change. */
function connectionOf(socket: Socket): ApiRequest["connection"] {
  let connection = connections.get(socket);
  if (!connection) connections.set(socket, (connection = peerOf(socket)));
  return connection;
}

function peerOf(socket: Socket): ApiRequest["connection"] {
  const remoteAddress = socket.remoteAddress ?? "";
  if (!(socket instanceof TLSSocket)) return { remoteAddress };
  const { raw, subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  if (!raw) return { remoteAddress };
  // Several values of one kind are a list; the last name counts, as Go's pkix.Name has it.
  const [commonName, organizations] = [listOf(subject?.CN).at(-1), listOf(subject?.O)];
  if (!socket.authorized || !commonName) return { remoteAddress, clientCertificate: "refused" };
  return { remoteAddress, clientCertificate: { commonName, organizations, sha256: hash("sha256", raw, "hex") } };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
