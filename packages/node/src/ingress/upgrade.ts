import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Place } from "./backends.ts";

/** Passes a WebSocket, or whatever else the client wants the connection to become, through to a pod, byte by byte. */
export async function passUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  to: { readonly path: string; readonly headers: readonly string[]; next(tried: readonly Place[]): Place | undefined },
): Promise<void> {
  client.on("error", () => client.destroy());
  const pod = await connectToAny(to.next.bind(to));
  if (pod === undefined) {
    client.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    return;
  }
  const lines = [`${request.method} ${to.path} HTTP/1.1`];
  for (let index = 0; index < to.headers.length; index += 2)
    lines.push(`${to.headers[index]}: ${to.headers[index + 1]}`);
  lines.push("Connection: Upgrade", `Upgrade: ${request.headers.upgrade ?? ""}`);
  pod.write(`${lines.join("\r\n")}\r\n\r\n`);
  pod.write(head);
  join(client, pod);
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

/** The first pod that takes the connection, of up to three. */
export async function connectToAny(next: (tried: readonly Place[]) => Place | undefined): Promise<Socket | undefined> {
  const tried: Place[] = [];
  while (tried.length < 3) {
    const place = next(tried);
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
