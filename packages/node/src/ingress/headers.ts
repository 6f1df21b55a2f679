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

/** Names and values in turn, as in `rawHeaders`, without those of the connection. */
export function endToEndHeaders(raw: readonly string[], connection: string | undefined): string[] {
  const named = new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
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
  "x-request-id",
  "x-real-ip",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-scheme",
]);

export interface ForwardedAs {
  readonly scheme: "http" | "https";
  readonly port: number;
  /** Instead of the client's own. */
  readonly host: string | undefined;
}

export function requestHeaders(request: IncomingMessage, { scheme, port, host }: ForwardedAs): string[] {
  const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const own = host ?? request.headers.host ?? "";
  const passed = endToEndHeaders(request.rawHeaders, request.headers.connection);
  const headers: string[] = ["Host", own];
  for (let index = 0; index < passed.length; index += 2) {
    const lower = (passed[index] ?? "").toLowerCase();
    if (lower !== "host" && !told.has(lower)) headers.push(passed[index] ?? "", passed[index + 1] ?? "");
  }
  const requestId = request.headers["x-request-id"];
  const about: Readonly<Record<string, string>> = {
    "X-Request-ID": typeof requestId === "string" ? requestId : randomBytes(16).toString("hex"),
    "X-Real-IP": client,
    "X-Forwarded-For": client,
    "X-Forwarded-Host": request.headers.host ?? "",
    "X-Forwarded-Port": String(port),
    "X-Forwarded-Proto": scheme,
    "X-Forwarded-Scheme": scheme,
    "X-Scheme": scheme,
  };
  return [...headers, ...Object.entries(about).flat()];
}
