import { createServer, type Server } from "node:https";
import { type ApiServer, httpListeners, httpServerOptions } from "@dhow/apiserver";

/** Puts the API server's functions behind a TLS server. */
export function serveApi(api: ApiServer, tls: { certificate: string; key: string; ca: string }): Server {
  const server = createServer({
    cert: tls.certificate,
    key: tls.key,
    ca: tls.ca,
    // A client may show a certificate; who shows none, or one of another authority, is known by a token or is anonymous.
    requestCert: true,
    rejectUnauthorized: false,
    ...httpServerOptions,
  });
  const listeners = httpListeners(api);
  server.on("request", listeners.request);
  server.on("upgrade", listeners.upgrade);
  server.on("connect", listeners.connect);
  server.on("clientError", listeners.clientError);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}
