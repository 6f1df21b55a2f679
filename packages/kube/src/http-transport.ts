import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { http } from "@dhow/base/http";
import type { HttpRequest, HttpResponse, Transport } from "./http.ts";

/** How to reach an API server and who one is to it. Certificates and keys are PEM. */
export interface Connection {
  /** `https://127.0.0.1:6443`; a path in it is put before every request's. */
  readonly server: string;
  /** Whom to trust; the system's authorities where it is left out. */
  readonly ca?: string | Buffer;
  readonly clientCertificate?: string | Buffer;
  readonly clientKey?: string | Buffer;
  readonly token?: string;
  /** Connects to this Unix socket instead of the server's address; TLS is spoken all the same, with the server's name. */
  readonly socketPath?: string;
  /** The name that the server's certificate must carry, where it is not the server's own. */
  readonly serverName?: string;
  /** Trusts any server. */
  readonly insecure?: boolean;
}

/** A transport over HTTP/1.1 with kept-alive connections. */
export interface HttpTransport extends Transport {
  /** Closes idle connections and, as they end, all others. */
  close(): void;
}

/** Below the idle timeout of servers (90 s), so that a connection is not reused in the moment in which the server closes it. */
const idleTimeout = 55_000;

export function httpTransport(connection: Connection): HttpTransport {
  const server = new URL(connection.server);
  const secure = server.protocol === "https:";
  const agent = secure
    ? new TlsAgent({ keepAlive: true, timeout: idleTimeout, ...tlsOptions(connection, server) })
    : new http.Agent({ keepAlive: true, timeout: idleTimeout });
  const prefix = server.pathname.replace(/\/$/, "");
  const address = connection.socketPath
    ? { socketPath: connection.socketPath }
    : { host: server.hostname.replace(/^\[|\]$/g, ""), port: server.port || (secure ? 443 : 80) };
  const open = (request: HttpRequest): ClientRequest =>
    (secure ? tlsRequest : http.request)({
      agent,
      ...address,
      method: request.method,
      path: prefix + request.path,
      headers: {
        host: server.host,
        ...(connection.token ? { authorization: `Bearer ${connection.token}` } : {}),
        ...request.headers,
        ...lengthOf(request),
      },
      ...(request.signal ? { signal: request.signal } : {}),
    });
  return {
    request: (request) => exchange(open, request),
    close: () => agent.destroy(),
  };
}

function tlsOptions(connection: Connection, server: URL) {
  const name = connection.serverName ?? server.hostname.replace(/^\[|\]$/g, "");
  return {
    ...(connection.ca ? { ca: connection.ca } : {}),
    ...(connection.clientCertificate ? { cert: connection.clientCertificate } : {}),
    ...(connection.clientKey ? { key: connection.clientKey } : {}),
    // An IP address is no server name in TLS, and over a Unix socket Node would check for "localhost".
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    rejectUnauthorized: connection.insecure !== true,
  };
}

function lengthOf(request: HttpRequest): Record<string, number> {
  const { body } = request;
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return {};
  return { "content-length": typeof body === "string" ? Buffer.byteLength(body) : body.byteLength };
}

async function exchange(open: (request: HttpRequest) => ClientRequest, request: HttpRequest): Promise<HttpResponse> {
  for (;;) {
    const sent = open(request);
    try {
      return await answerOf(sent, request);
    } catch (error) {
      // The server closed a kept connection just as it was used again; a read may be sent anew on a fresh one.
      const again = sent.reusedSocket && request.method === "GET" && (error as { code?: string }).code === "ECONNRESET";
      if (!again || request.signal?.aborted) throw error;
    }
  }
}

function answerOf(sent: ClientRequest, request: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => resolve(wrap(response)));
    const { body } = request;
    if (body === undefined || typeof body === "string" || body instanceof Uint8Array) sent.end(body);
    else sendPieces(sent, body).catch((error: unknown) => sent.destroy(error as Error));
  });
}

async function sendPieces(sent: ClientRequest, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of body) {
    if (!sent.write(piece)) await new Promise<void>((resolve) => void sent.once("drain", resolve));
  }
  sent.end();
}

function wrap(response: IncomingMessage): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { status: response.statusCode ?? 0, headers, body: response as AsyncIterable<Uint8Array> };
}
