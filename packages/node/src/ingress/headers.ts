import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What concerns one connection only and is not passed on (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "http2-settings",
]);

/** What says where a message ends is not the connection's, whatever that names (RFC 9110, 7.6.1): a body without it would be a request. */
const framing = "content-length";

/** Names and values in turn, as in `rawHeaders`, without those of the connection. */
export function endToEndHeaders(raw: readonly string[], connection: string | undefined): string[] {
  const named = new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  named.delete(framing);
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !named.has(lower)) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
}

/** What the pod is told about the client; whatever the client itself claims of it is not believed, as ingress-nginx does by default. */
const told = new Set([
  "forwarded",
  // Programs that are called by CGI's rules take it for a setting of theirs.
  "proxy",
  "x-request-id",
  "x-real-ip",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-scheme",
]);

/** To a program that is called by CGI's rules, `X_Real_IP` is `X-Real-IP`. */
const isTold = (name: string) => told.has(name.toLowerCase().replaceAll("_", "-"));

export interface ForwardedAs {
  readonly scheme: "http" | "https";
  readonly port: number;
  /** As the client asked for it. */
  readonly host: string;
  /** Instead of that, for the pod. */
  readonly upstreamHost: string | undefined;
}

export function requestHeaders(request: IncomingMessage, as: ForwardedAs): string[] {
  const { scheme, port, host, upstreamHost } = as;
  const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const passed = endToEndHeaders(request.rawHeaders, request.headers.connection);
  const headers: string[] = ["Host", upstreamHost ?? host];
  for (let index = 0; index < passed.length; index += 2) {
    const name = passed[index] ?? "";
    if (name.toLowerCase() !== "host" && !isTold(name)) headers.push(name, passed[index + 1] ?? "");
  }
  const requestId = request.headers["x-request-id"];
  const about: Readonly<Record<string, string>> = {
    "X-Request-ID": typeof requestId === "string" ? requestId : randomBytes(16).toString("hex"),
    "X-Real-IP": client,
    "X-Forwarded-For": client,
    "X-Forwarded-Host": host,
    "X-Forwarded-Port": String(port),
    "X-Forwarded-Proto": scheme,
    "X-Forwarded-Scheme": scheme,
    "X-Scheme": scheme,
  };
  return [...headers, ...Object.entries(about).flat()];
}
