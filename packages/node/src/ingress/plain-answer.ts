import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { http } from "@dhow/base/http";

/** An answer of the ingress itself: one line that says what it is. */
export function answerPlainly(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = `${status} ${http.STATUS_CODES[status] ?? ""}\n`;
  const length = String(Buffer.byteLength(text));
  // What is left of the request's body would be taken for the next request.
  const close: Record<string, string> = status === 413 ? { connection: "close" } : {};
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": length,
    ...headers,
    ...close,
  });
  response.end(text);
}

/** The same on a connection that is the answer's alone, and ends with it. */
export function refuse(socket: Duplex, status: number): void {
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ""}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
