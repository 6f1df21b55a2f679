import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { temporaryFolder } from "@dhow/testkit";
import { WebSocketServer } from "ws";

export interface StandInKubelet extends AsyncDisposable {
  readonly dial: (node: string) => Promise<Duplex>;
  /** Paths that were asked for, with their methods. */
  readonly requests: string[];
}

/** Speaks a kubelet's HTTP interface on a Unix socket: `answer` for requests, an echo for upgrades, and port-forward to an HTTP page. */
export async function standInKubelet(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<StandInKubelet> {
  const folder = temporaryFolder();
  const path = join(folder.path, "kubelet.sock");
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const forwards = new WebSocketServer({ noServer: true, handleProtocols: () => "v4.channel.k8s.io" });
  server.on("upgrade", (request, socket, head) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.headers["sec-websocket-protocol"] === "v4.channel.k8s.io") {
      forwards.handleUpgrade(request, socket, head, (client) => {
        const port = Number(new URL(request.url ?? "/", "http://kubelet").searchParams.get("port"));
        for (const channel of [0, 1]) client.send(Buffer.from([channel, port & 255, port >> 8]));
        client.on("message", (message: Buffer) => {
          const [line] = message.subarray(1).toString().split("\r\n");
          const page = `port ${port}: ${line}`;
          const text = `HTTP/1.1 200 OK\r\ncontent-length: ${page.length}\r\n\r\n${page}`;
          client.send(Buffer.concat([Buffer.from([0]), Buffer.from(text)]));
        });
      });
      return;
    }
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: SPDY/3.1\r\nconnection: Upgrade\r\n\r\n");
    socket.write(`authorization: ${request.headers.authorization ?? "none"}\n`);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    requests,
    dial: (node) =>
      new Promise((resolve, reject) => {
        if (node !== "n") {
          reject(new Error(`no node ${node}`));
          return;
        }
        const socket = connect(path);
        socket.once("connect", () => resolve(socket));
        socket.once("error", reject);
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      for (const client of forwards.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
      folder[Symbol.dispose]();
    },
  };
}
