import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import type { ApiRequest, ApiServer } from "@dhow/apiserver";
import type { HttpResponse } from "@dhow/kube";

/** Puts the API server's functions behind a TLS server: the only place where it meets sockets. */
export function serveApi(api: ApiServer, tls: { certificate: string; key: string; ca: string }): Server {
  const server = createServer({
    cert: tls.certificate,
    key: tls.key,
    ca: tls.ca,
    // A client may show a certificate; who shows none, or one of another authority, is known by a token or is anonymous.
    requestCert: true,
    rejectUnauthorized: false,
    // client-go keeps idle connections for 90 s; closing them first would make its next request fail.
    keepAliveTimeout: 120_000,
    // Watches last for up to an hour, and a body may come slowly, but not for ever.
    requestTimeout: 60_000,
    headersTimeout: 20_000,
  });
  server.on("request", (request, response) => void respond(api, request, response));
  server.on("upgrade", (request, socket, head) =>
    api.upgrade(toApiRequest(request, new AbortController().signal), socket, head),
  );
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

async function respond(api: ApiServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const abort = new AbortController();
  response.on("close", () => abort.abort());
  const answer = await api.handle(toApiRequest(request, abort.signal));
  response.writeHead(answer.status, answer.headers);
  const { body } = answer;
  if (typeof body === "string" || body instanceof Uint8Array) response.end(body);
  else await stream(body, response);
}

async function stream(
  body: Exclude<HttpResponse["body"], string | Uint8Array>,
  response: ServerResponse,
): Promise<void> {
  // Whoever watches wants to know at once that the watch stands, not with its first event.
  response.flushHeaders();
  try {
    for await (const piece of body) {
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
    }
    response.end();
  } catch {
    // The answer has begun: cutting it off is the only way left to say that it is not whole.
    response.destroy();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

function toApiRequest(request: IncomingMessage, signal: AbortSignal): ApiRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const socket = request.socket as TLSSocket;
  const certificate = socket.authorized ? clientCertificate(socket) : undefined;
  return {
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers,
    body: request as AsyncIterable<Uint8Array>,
    signal,
    connection: { remoteAddress: socket.remoteAddress ?? "", ...(certificate && { clientCertificate: certificate }) },
  };
}

function clientCertificate(socket: TLSSocket): ApiRequest["connection"]["clientCertificate"] {
  const { subject } = socket.getPeerCertificate();
  if (!subject?.CN) return undefined;
  const organizations = subject.O ?? [];
  return { commonName: String(subject.CN), organizations: [organizations].flat() };
}
