import type { IncomingMessage } from "node:http";
import { type Duplex, PassThrough, Writable } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

/** What runs over a connection for one command: the ends that the client asked for. */
export interface CommandStreams {
  readonly stdin: NodeJS.ReadableStream | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  onResize(callback: (size: { width: number; height: number }) => void): void;
  onClose(callback: () => void): void;
  /** Says how it ended, as a Status, and closes the connection. */
  finish(status: unknown): Promise<void>;
}

export interface Wanted {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The subprotocols of exec and attach, best first (apimachinery/pkg/util/remotecommand/constants.go); the plain one is older and has no Status. */
const protocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];

const server = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
  perMessageDeflate: false,
});

export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket> {
  return new Promise((resolve) => server.handleUpgrade(request, socket, head, resolve));
}

/** A command's streams as channels of one WebSocket: the first byte of a message names the channel (cri-streaming remotecommand/websocket.go). */
export function webSocketStreams(socket: WebSocket, wanted: Wanted): CommandStreams {
  const base64 = socket.protocol.includes("base64");
  const withStatus = /^v[45]\./.test(socket.protocol);
  const stdin = wanted.stdin ? new PassThrough() : undefined;
  const resizes = new Set<(size: { width: number; height: number }) => void>();
  socket.on("error", () => undefined);
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    const bytes = base64 && !isBinary ? decode(data) : data;
    const number = bytes[0];
    const rest = bytes.subarray(1);
    if (number === channel.stdin && stdin && !stdin.writableEnded) {
      if (!stdin.write(rest)) {
        socket.pause();
        stdin.once("drain", () => socket.resume());
      }
    } else if (number === channel.resize) for (const resize of resizes) readSize(rest, resize);
    else if (number === channel.close && rest[0] === channel.stdin) stdin?.end();
  });
  socket.on("close", () => stdin?.end());
  const writer = (number: number) => new ChannelWriter(socket, number, base64);
  return {
    stdin,
    stdout: wanted.stdout ? writer(channel.stdout) : undefined,
    stderr: wanted.stderr && !wanted.tty ? writer(channel.stderr) : undefined,
    onResize: (callback) => void resizes.add(callback),
    onClose: (callback) => void socket.on("close", callback),
    async finish(status) {
      if (withStatus) await send(socket, channel.error, Buffer.from(JSON.stringify(status)), base64);
      socket.close(1000);
    },
  };
}

function decode(data: Buffer): Buffer {
  const text = data.toString();
  return Buffer.concat([Buffer.from([Number(text[0])]), Buffer.from(text.slice(1), "base64")]);
}

export function readSize(bytes: Buffer, callback: (size: { width: number; height: number }) => void): void {
  try {
    const { Width, Height } = JSON.parse(bytes.toString()) as { Width: number; Height: number };
    if (Width > 0 && Height > 0) callback({ width: Width, height: Height });
  } catch {
    // A size that cannot be read changes nothing.
  }
}

/** Resolves when the message has left, so that a fast program waits for a slow client. */
function send(socket: WebSocket, number: number, bytes: Buffer, base64: boolean): Promise<void> {
  const message = base64 ? `${number}${bytes.toString("base64")}` : Buffer.concat([Buffer.from([number]), bytes]);
  return new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) socket.send(message, () => resolve());
    else resolve();
  });
}

class ChannelWriter extends Writable {
  readonly #socket: WebSocket;
  readonly #number: number;
  readonly #base64: boolean;

  constructor(socket: WebSocket, number: number, base64: boolean) {
    super();
    this.#socket = socket;
    this.#number = number;
    this.#base64 = base64;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    void send(this.#socket, this.#number, chunk, this.#base64).then(callback);
  }
}
