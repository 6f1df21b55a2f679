import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type CommandStreams, readSize, type Wanted } from "./channels.ts";
import { SpdyConnection, type SpdyStream } from "./spdy/connection.ts";
import { RequestError } from "./targets.ts";

/** How long a client may take to open the streams that it asked for (cri-streaming's StreamCreationTimeout). */
const creationTimeout = 30_000;

/** Whether a request asks to go on in SPDY/3.1. */
export function asksForSpdy(request: IncomingMessage): boolean {
  return /^spdy\/3\.1$/i.test(request.headers.upgrade ?? "");
}

/** Answers an upgrade to SPDY/3.1 with the best of the stream protocols that both sides know. */
export function acceptSpdy(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  known: readonly string[],
): SpdyConnection {
  const offered = String(request.headers["x-stream-protocol-version"] ?? "")
    .split(",")
    .map((one) => one.trim());
  const protocol = known.find((one) => offered.includes(one));
  if (!protocol)
    throw new RequestError(
      403,
      `unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${known.join(" ")}]`,
    );
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${protocol}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return new SpdyConnection(socket, { server: true });
}

/** Waits for the streams of a command, which the client opens one by one and names in a header. */
export function spdyStreams(connection: SpdyConnection, wanted: Wanted): Promise<CommandStreams> {
  const names = [
    "error",
    ...(["stdin", "stdout", "stderr"] as const).filter((name) => wanted[name] && !(name === "stderr" && wanted.tty)),
  ];
  if (wanted.tty) names.push("resize");
  const streams = new Map<string, SpdyStream>();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      connection.close();
      reject(new Error("timed out waiting for client to create streams"));
    }, creationTimeout);
    timer.unref();
    connection.onStream = (stream) => {
      const name = stream.headers["streamtype"] ?? "";
      if (!names.includes(name)) return stream.reset();
      streams.set(name, stream);
      if (streams.size < names.length) return;
      clearTimeout(timer);
      resolve(commandStreams(connection, streams));
    };
  });
}

function commandStreams(connection: SpdyConnection, streams: ReadonlyMap<string, SpdyStream>): CommandStreams {
  const closed = new Set<() => void>();
  connection.onClose = () => {
    for (const callback of closed) callback();
  };
  return {
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    onResize: (callback) => {
      // Each size is one JSON document and one frame.
      streams.get("resize")?.on("data", (bytes: Buffer) => {
        for (const line of bytes.toString().split("\n").filter(Boolean)) readSize(Buffer.from(line), callback);
      });
    },
    onClose: (callback) => void closed.add(callback),
    async finish(status) {
      const error = streams.get("error");
      for (const name of ["stdout", "stderr"]) streams.get(name)?.end();
      if (error) await new Promise<void>((resolve) => void error.end(JSON.stringify(status), () => resolve()));
      // The client closes when it has read all; one that does not is left after a while.
      const timer = setTimeout(() => connection.close(), 5000);
      closed.add(() => clearTimeout(timer));
    },
  };
}
