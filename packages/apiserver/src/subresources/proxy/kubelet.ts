import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { messageOf } from "@dhow/base";
import { http } from "@dhow/base/http";
import { type HttpResponse, StatusError } from "@dhow/kube";

/** Opens a connection to the HTTP interface of a node's kubelet. */
export type DialKubelet = (nodeName: string) => Promise<Duplex>;

export interface KubeletRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The node is not to be reached (apiserver/pkg/util/proxy). */
export function dialFailure(error: unknown): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `error dialing backend: ${messageOf(error)}`,
    code: 500,
  });
}

export async function dial(dialKubelet: DialKubelet, nodeName: string): Promise<Duplex> {
  try {
    return await dialKubelet(nodeName);
  } catch (error) {
    throw dialFailure(error);
  }
}

/** One HTTP exchange over a connection of its own; the connection ends with it. */
export async function exchange(connection: Duplex, request: KubeletRequest): Promise<HttpResponse> {
  const incoming = await send(connection, request);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value === undefined || hopByHop.has(name)) continue;
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { status: incoming.statusCode ?? 502, headers, body: pieces(incoming, connection) };
}

/** Headers that are about one connection only (RFC 9110, 7.6.1). */
export const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function send(connection: Duplex, { method, path, headers, body, signal }: KubeletRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      connection.destroy();
      reject(dialFailure(error));
    };
    const outgoing = http.request({
      method,
      path,
      headers: { host: "kubelet", ...headers },
      createConnection: () => connection,
      ...(signal ? { signal } : {}),
    });
    outgoing.once("error", fail);
    outgoing.once("response", (incoming) => {
      outgoing.off("error", fail);
      outgoing.on("error", () => connection.destroy());
      resolve(incoming);
    });
    writeBody(outgoing, body).catch(fail);
  });
}

async function writeBody(outgoing: NodeJS.WritableStream, body: KubeletRequest["body"]): Promise<void> {
  if (body instanceof Uint8Array) outgoing.end(body);
  else {
    for await (const piece of body ?? []) outgoing.write(piece);
    outgoing.end();
  }
}

/** Whoever stops reading ends the connection. */
async function* pieces(incoming: IncomingMessage, connection: Duplex): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of incoming) yield piece as Uint8Array;
  } finally {
    connection.destroy();
  }
}

/** Reads an answer to its end; for small ones. */
export async function readAnswer({ body }: HttpResponse, limit = 10 * 1024 * 1024): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString("utf8");
  const parts: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    const part = Buffer.from(piece as Uint8Array);
    parts.push(part);
    if ((size += part.length) > limit) break;
  }
  return Buffer.concat(parts).toString("utf8");
}
