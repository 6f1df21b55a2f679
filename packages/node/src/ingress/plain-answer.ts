import type { ServerResponse } from "node:http";
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
