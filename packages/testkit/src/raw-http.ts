import type { Duplex } from "node:stream";

/** A request of which every byte is the test's own: no client library tidies its path or its headers. */
export interface RawRequest {
  readonly method: string;
  /** As it goes over the wire; characters are bytes (Latin-1). */
  readonly path: string;
  /** One line each, in order; a name may come twice. `Host` and `Content-Length` are added where they are missing. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; of several of one name all, joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The bytes of a request after which the connection ends (RFC 9112). */
export function rawRequest({ method, path, headers = [], body }: RawRequest): Buffer {
  const bytes = Buffer.from(body ?? "");
  const has = (name: string) => headers.some(([one]) => one.toLowerCase() === name);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(has("host") ? [] : ["Host: localhost"]),
    ...(body === undefined || has("content-length") || has("transfer-encoding")
      ? []
      : [`Content-Length: ${bytes.byteLength}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(has("connection") ? [] : ["Connection: close"]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), bytes]);
}

/**
 * Sends bytes and reads what comes until the other side closes, or says nothing for `patience` milliseconds; `status` is 0 where
 * nothing that is HTTP came.
 */
export async function rawExchange(socket: Duplex, bytes: Uint8Array, patience = 10_000): Promise<RawAnswer> {
  const pieces: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patience);
    socket.on("data", () => timer?.refresh());
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    // The other side may close before it has read everything: what it said counts.
    socket.once("error", () => resolve());
    socket.once("close", () => resolve());
    socket.once("end", () => {
      socket.end();
      resolve();
    });
    socket.write(bytes);
  });
  clearTimeout(timer);
  socket.destroy();
  return parseAnswer(Buffer.concat(pieces));
}

/** Reads the first answer in `bytes`. */
export function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes
    .subarray(0, end < 0 ? 0 : end)
    .toString("latin1")
    .split("\r\n");
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(first)?.[1] ?? 0);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const rest = bytes.subarray(end + 4);
  const body = headers["transfer-encoding"] === "chunked" ? unchunked(rest) : rest;
  return { status, headers, body: body.toString("utf8") };
}

/** RFC 9112, 7.1 */
function unchunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = lineEnd < 0 ? 0 : Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    if (!size) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
}
