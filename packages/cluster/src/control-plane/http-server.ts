import { createServer, type Server } from "node:https";
import { type ApiServer, httpListeners } from "@dhow/apiserver";

/** Puts the API server's functions behind a TLS server. */
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
    requestTimeout: 60_000,
    headersTimeout: 20_000,
  });
  const listeners = httpListeners(api);
  server.on("request", listeners.request);
  server.on("upgrade", listeners.upgrade);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}
