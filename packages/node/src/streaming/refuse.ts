import type { Duplex } from "node:stream";
import { http } from "@dhow/base/http";

/** Answers a request for an upgrade that does not come about. */
export function refuse(socket: Duplex, status: number, message: string): void {
  if (socket.destroyed || !socket.writable) return;
  const body = `${message}\n`;
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ""}`;
  const headers = `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  socket.end(`${head}\r\n${headers}\r\n\r\n${body}`);
}
