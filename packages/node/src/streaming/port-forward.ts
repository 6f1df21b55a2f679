import { type Duplex, PassThrough } from "node:stream";
import { messageOf } from "@dhow/base";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import type { PodWorker } from "../kubelet/pod-worker.ts";
import type { PodSandbox } from "../sandbox/sandbox.ts";
import { acceptWebSocket } from "./channels.ts";
import type { Connection } from "./remote-command.ts";
import { SpdyConnection, type SpdyStream } from "./spdy/connection.ts";
import { acceptSpdy, asksForSpdy } from "./spdy-streams.ts";
import { RequestError } from "./targets.ts";

const forwardProtocol = "portforward.k8s.io";
const tunnelProtocol = `SPDY/3.1+${forwardProtocol}`;

/** Brings connections to a pod's loopback: /portForward/{namespace}/{pod}, over SPDY, SPDY within a WebSocket, or WebSocket channels. */
export async function portForward(worker: PodWorker, url: URL, connection: Connection): Promise<void> {
  const { request, socket, head } = connection;
  const { sandbox } = worker;
  if (!sandbox)
    throw new RequestError(
      500,
      `unable to do port forwarding: pod is not running. Current status=${worker.status?.phase ?? "Pending"}`,
    );
  if (asksForSpdy(request)) {
    serve(acceptSpdy(request, socket, head, [forwardProtocol]), sandbox, worker);
    return;
  }
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
  if (offered.includes(tunnelProtocol)) {
    const tunnel = createWebSocketStream(await acceptTunnel(connection));
    tunnel.on("error", () => undefined);
    serve(new SpdyConnection(tunnel, { server: true }), sandbox, worker);
    return;
  }
  forwardChannels(await acceptWebSocket(request, socket, head), url, sandbox, worker);
}

/** The name of the tunnel's subprotocol has a slash, which the WebSocket grammar does not allow and `ws` refuses: it is taken out and put back. */
function acceptTunnel({ request, socket, head }: Connection): Promise<WebSocket> {
  delete request.headers["sec-websocket-protocol"];
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("headers", (headers) => headers.push(`Sec-WebSocket-Protocol: ${tunnelProtocol}`));
  return new Promise((resolve) => server.handleUpgrade(request, socket, head, resolve));
}

/** Per connection the client opens an error and a data stream with the same request id (cri-streaming portforward/httpstream.go). */
function serve(connection: SpdyConnection, sandbox: PodSandbox, worker: PodWorker): void {
  const waiting = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  connection.onStream = (stream) => {
    const { streamtype: type, port = "", requestid } = stream.headers;
    if ((type !== "error" && type !== "data") || !port) return stream.reset();
    // Clients of old give no request id: their streams come in pairs of ids.
    const id = requestid || String(type === "error" ? stream.id : stream.id - 2);
    const pair = { ...waiting.get(id), [type]: stream };
    waiting.set(id, pair);
    if (!pair.error || !pair.data) return;
    waiting.delete(id);
    void forward(pair.data, pair.error, Number(port), sandbox, worker);
  };
}

async function forward(
  data: SpdyStream,
  error: SpdyStream,
  port: number,
  sandbox: PodSandbox,
  worker: PodWorker,
): Promise<void> {
  try {
    await join(data, await sandbox.connect(port));
    error.end();
  } catch (problem) {
    error.end(forwardMessage(port, worker, problem));
    data.end();
  }
}

function forwardMessage(port: number, worker: PodWorker, problem: unknown): string {
  const { name, uid } = worker.pod.metadata;
  const refused = messageOf(problem).includes("ECONNREFUSED");
  const why = refused ? `failed to connect to localhost:${port}: connect: connection refused` : messageOf(problem);
  return `error forwarding port ${port} to pod ${name}, uid : ${uid}: ${why}`;
}

/** Copies both ways until both sides have ended. */
function join(one: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = 2;
    const ended = () => {
      open -= 1;
      if (open === 0) resolve();
    };
    other.on("error", (problem) => {
      one.end();
      reject(problem);
    });
    one.on("error", () => other.destroy());
    one.on("close", () => {
      other.end();
      resolve();
    });
    other.on("end", ended);
    one.on("end", ended);
    one.pipe(other);
    other.pipe(one);
  });
}

/** The older form: for the n-th port channel 2n carries data and 2n+1 errors, each beginning with the port (portforward/websocket.go). */
function forwardChannels(socket: WebSocket, url: URL, sandbox: PodSandbox, worker: PodWorker): void {
  const ports = url.searchParams
    .getAll("ports")
    .concat(url.searchParams.getAll("port"))
    .flatMap((text) => text.split(","))
    .map(Number);
  const inputs = new Map<number, PassThrough>();
  const send = (channel: number, bytes: Uint8Array) => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([channel]), bytes]));
  };
  socket.on("error", () => undefined);
  socket.on("message", (message: Buffer) => inputs.get(message[0] ?? -1)?.write(message.subarray(1)));
  socket.on("close", () => {
    for (const input of inputs.values()) input.end();
  });
  for (const [index, port] of ports.entries()) {
    const [data, error] = [index * 2, index * 2 + 1];
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    send(data, head);
    send(error, head);
    const input = new PassThrough();
    inputs.set(data, input);
    sandbox.connect(port).then(
      (target) => {
        target.on("error", (problem) => send(error, Buffer.from(forwardMessage(port, worker, problem))));
        target.on("data", (bytes: Buffer) => send(data, bytes));
        target.on("close", () => socket.close(1000));
        input.pipe(target);
      },
      (problem: unknown) => send(error, Buffer.from(forwardMessage(port, worker, problem))),
    );
  }
}
