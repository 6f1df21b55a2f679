import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { type Clock, messageOf } from "@dhow/base";
import type { PodWorker } from "../kubelet/pod-worker.ts";
import type { RunningContainer } from "../kubelet/running-container.ts";
import { acceptWebSocket, type CommandStreams, type Wanted, webSocketStreams } from "./channels.ts";
import { acceptSpdy, asksForSpdy, spdyStreams } from "./spdy-streams.ts";
import { findRunning, flag, RequestError } from "./targets.ts";

/** An upgrade that is under way. */
export interface Connection {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly clock: Clock;
}

/** Stream protocols over SPDY, best first; in the fourth the error stream carries a Status. */
const spdyProtocols = ["v4.channel.k8s.io"];

const successStatus = { metadata: {}, status: "Success" };

/** Runs a further program in a container: GET or POST /exec/{namespace}/{pod}/{container}. */
export async function exec(worker: PodWorker, container: string, url: URL, connection: Connection): Promise<void> {
  const running = findRunning(worker, container);
  const argv = url.searchParams.getAll("command");
  if (argv.length === 0)
    throw new RequestError(400, "you must specify at least 1 of stdin, stdout, stderr and a command");
  const wanted = wantedStreams(url);
  const streams = await open(connection, wanted);
  try {
    const child = await running.process.exec({ argv, tty: wanted.tty, stdin: wanted.stdin });
    streams.onResize((size) => child.resize(size));
    streams.onClose(() => child.kill("SIGKILL"));
    if (child.stdin) streams.stdin?.pipe(child.stdin);
    child.stdin?.on("error", () => undefined);
    const outputs = [copy(child.stdout, streams.stdout), copy(child.stderr, streams.stderr)];
    const { exitCode } = await child.exited;
    await settled(outputs);
    await streams.finish(exitCode === 0 ? successStatus : exitStatus(exitCode));
  } catch (error) {
    await streams.finish(failureStatus(messageOf(error)));
  }
}

/** Joins the streams of a container's own program: GET or POST /attach/{namespace}/{pod}/{container}. */
export async function attach(worker: PodWorker, container: string, url: URL, connection: Connection): Promise<void> {
  const running = findRunning(worker, container);
  const wanted = { ...wantedStreams(url), tty: running.container.tty ?? false };
  const streams = await open(connection, wanted);
  const end = running.onOutput((stream, bytes) => streams[stream]?.write(bytes));
  const { stdin } = running.process;
  if (wanted.stdin && stdin && streams.stdin) {
    streams.stdin.pipe(stdin, { end: running.container.stdinOnce ?? false });
    stdin.on("error", () => undefined);
  }
  const closed = new Promise<"closed">((resolve) => streams.onClose(() => resolve("closed")));
  const result = await Promise.race([running.exited, closed]);
  end();
  if (result !== "closed") await streams.finish(result.exitCode === 0 ? successStatus : exitStatus(result.exitCode));
  else if (stdin) streams.stdin?.unpipe(stdin);
  void (running satisfies RunningContainer);
}

async function open(connection: Connection, wanted: Wanted): Promise<CommandStreams> {
  const { request, socket, head } = connection;
  if (asksForSpdy(request)) return spdyStreams(acceptSpdy(request, socket, head, spdyProtocols), wanted);
  return webSocketStreams(await acceptWebSocket(request, socket, head), wanted);
}

/** The kubelet says input, output, error; the API server's clients say stdin, stdout, stderr. */
function wantedStreams(url: URL): Wanted {
  const tty = flag(url, "tty");
  const wanted = {
    stdin: flag(url, "input", "stdin"),
    stdout: flag(url, "output", "stdout"),
    stderr: flag(url, "error", "stderr") && !tty,
    tty,
  };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    throw new RequestError(400, "you must specify at least 1 of stdin, stdout, stderr");
  }
  return wanted;
}

/** Copies to the end; where nobody wants it, it is read all the same, so that the program is not held up. */
async function copy(from: NodeJS.ReadableStream | undefined, to: Writable | undefined): Promise<void> {
  if (!from) return;
  from.on("error", () => undefined);
  if (!to) {
    from.resume();
    return;
  }
  for await (const piece of from) {
    if (to.destroyed) continue;
    if (!to.write(piece)) await Promise.race([once(to, "drain"), once(to, "close")]);
  }
  await new Promise<void>((resolve) => void to.end(() => resolve()));
}

/** A child of the program that keeps the pipes open must not keep the command from ending. */
async function settled(outputs: readonly Promise<void>[]): Promise<void> {
  await Promise.race([Promise.allSettled(outputs), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
}

function exitStatus(exitCode: number): unknown {
  return {
    metadata: {},
    status: "Failure",
    reason: "NonZeroExitCode",
    message: `command terminated with non-zero exit code: exit code ${exitCode}`,
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

function failureStatus(message: string): unknown {
  return {
    metadata: {},
    status: "Failure",
    reason: "InternalError",
    message: `error executing command in container: ${message}`,
    code: 500,
  };
}
