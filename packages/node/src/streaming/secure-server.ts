import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, type Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";
import { messageOf } from "@dhow/base";
import type { KubeletAccess } from "./access.ts";
import { refuse } from "./refuse.ts";
import { RequestError } from "./targets.ts";

/** PEM. */
export interface KubeletTls {
  readonly certificate: string;
  readonly key: string;
  /** Signs the certificates of clients, the API server's above all. */
  readonly clientAuthority: string;
}

/** The kubelet's interface for an API server that comes over the network: HTTPS, for whom the cluster lets in. */
export function secureKubeletServer(kubelet: Server, access: KubeletAccess, tls: KubeletTls): SecureServer {
  const server = createServer({
    cert: tls.certificate,
    key: tls.key,
    ca: tls.clientAuthority,
    requestCert: true,
    // Who shows no certificate may still show a token.
    rejectUnauthorized: false,
  });
  server.requestTimeout = kubelet.requestTimeout;
  server.headersTimeout = kubelet.headersTimeout;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    access.check(request).then(
      () => kubelet.emit("request", request, response),
      (error: unknown) => {
        const headers = { "content-type": "text/plain; charset=utf-8" };
        response.writeHead(statusOf(error), headers).end(`${messageOf(error)}\n`);
      },
    );
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => undefined);
    access.check(request).then(
      () => kubelet.emit("upgrade", request, socket, head),
      (error: unknown) => refuse(socket, statusOf(error), messageOf(error)),
    );
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function statusOf(error: unknown): number {
  return error instanceof RequestError ? error.status : 500;
}
