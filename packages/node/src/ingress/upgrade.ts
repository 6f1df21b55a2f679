import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { http } from "@dhow/base/http";
import type { Place } from "./backends.ts";
import { endToEndHeaders } from "./headers.ts";
import { refuse } from "./plain-answer.ts";
import { mostTries, placeToTry } from "./tries.ts";

interface Passage {
  readonly path: string;
  readonly headers: readonly string[];
  next(tried: readonly Place[]): Place | undefined;
}

/**
 * Whether a connection may become a tunnel to a pod. Not with a body, whose end nobody would look for; and not to HTTP/2, whose requests would
 * pass every rule by (RFC 9113 has no such upgrade any more): these are requests like any other (RFC 9110, 7.8).
 */
export function mayUpgrade({ headers }: Pick<IncomingMessage, "headers">): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  const protocols = (headers.upgrade ?? "").split(",").map((name) => name.trim().toLowerCase());
  return !hasBody && !protocols.some((name) => name === "h2c" || name === "h2");
}

/** Passes a WebSocket, or whatever else the client wants the connection to become, through to a pod, byte by byte, once the pod has agreed. */
export async function passUpgrade(request: IncomingMessage, client: Duplex, head: Buffer, to: Passage): Promise<void> {
  client.on("error", () => client.destroy());
  const pod = await connectToAny(to.next.bind(to));
  if (pod === undefined) return refuse(client, 503);
  const { method, headers } = request;
  const asked = http.request({
    createConnection: () => pod,
    method,
    path: to.path,
    headers: [...to.headers, "Connection", "Upgrade", "Upgrade", headers.upgrade ?? ""],
    setDefaultHeaders: false,
  });
  asked.on("upgrade", (answer, socket: Socket, podHead) => {
    client.write(`${headOf(answer)}\r\n\r\n`);
    client.write(podHead);
    socket.write(head);
    join(client, socket);
  });
  // What the client has sent already is for a tunnel that there is not.
  asked.on("response", (answer) => passPlainly(request, client as Socket, answer));
  asked.on("error", () => {
    if (!client.destroyed) refuse(client, 502);
  });
  client.once("close", () => asked.destroy());
  asked.end();
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return lines.join("\r\n");
}

/** The answer of a pod that wants no other protocol; the connection ends with it. */
function passPlainly(request: IncomingMessage, client: Socket, answer: IncomingMessage): void {
  const response = new http.ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(client);
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage ?? "",
    endToEndHeaders(answer.rawHeaders, answer.headers.connection),
  );
  answer.pipe(response);
  answer.once("error", () => client.destroy());
  response.once("finish", () => client.end());
}

/** Joins two connections; when one ends or breaks, so does the other. */
export function join(one: Duplex, other: Duplex): void {
  one.pipe(other).pipe(one);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}

/** The first pod that takes the connection; undefined where none does. */
export async function connectToAny(next: (tried: readonly Place[]) => Place | undefined): Promise<Socket | undefined> {
  const tried: Place[] = [];
  while (tried.length < mostTries) {
    const place = await placeToTry(next, tried);
    if (place === undefined) return undefined;
    tried.push(place);
    const socket = await tryConnect(place);
    if (socket) return socket;
  }
  return undefined;
}

function tryConnect({ address, port }: Place): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, timeout: 5000 });
    socket.once("connect", () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    const give = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.once("error", give);
    socket.once("timeout", give);
  });
}
