import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Drain } from "./drain.ts";
import { numberEnvironment, refuseConfiguration } from "./environment.ts";
import { log, nameLog } from "./log.ts";
import { loadMetrics, metricsText, requestMetrics } from "./metrics.ts";
import { clientAddress, routeOf } from "./routes.ts";

/** A web-standard handler such as hono's `app.fetch`; the second argument carries Node's `{ incoming, outgoing }`. */
export type FetchHandler = (request: Request, environment: never) => Response | Promise<Response>;

export interface ServeOptions {
  /** The service's name, in each of its log lines. */
  readonly name: string;
  /** What answers: hono's `app.fetch`, or a listener as node:http takes it. /health, /ready and /metrics are answered before it. */
  readonly handler: { readonly fetch: FetchHandler } | { readonly listener: RequestListener };
  /** The port where the environment's PORT says nothing else; 0 lets the system choose. */
  readonly port: number;
  /** Why the service cannot serve now, such as a database that is away, or undefined when it can. Without it, a service that listens is ready. */
  readonly ready?: () => string | undefined | Promise<string | undefined>;
  /** Called after the last answer, to give back connections and the like. */
  readonly close?: () => unknown;
  /** Milliseconds from SIGTERM until what is still in flight is cut off (25,000: Kubernetes kills after 30). */
  readonly grace?: number;
}

export interface RunningService {
  readonly port: number;
  /** What SIGTERM does, without the exit: true when everything in flight had its answer. */
  stop(): Promise<boolean>;
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** Being alive has nothing to do with others: who is restarted because a database is away does not bring it back. */
async function answerHealth(response: ServerResponse): Promise<void> {
  answer(response, 200, "application/json", JSON.stringify({ status: "healthy" }));
}

async function answerReady(response: ServerResponse, options: ServeOptions): Promise<void> {
  const reason = await options.ready?.();
  const body = reason === undefined ? { status: "ready" } : { status: "not ready", reason };
  answer(response, reason === undefined ? 200 : 503, "application/json", JSON.stringify(body));
}

async function answerMetrics(response: ServerResponse): Promise<void> {
  // Figures are for the cluster's inside: what came through an ingress is someone else's request.
  if (response.req.headers["x-forwarded-for"] !== undefined) return answer(response, 404, "text/plain", "Not found\n");
  const { contentType, text } = await metricsText();
  answer(response, 200, contentType, text);
}

/** The paths that every service answers by itself, for probes and Prometheus. */
function builtIn(request: IncomingMessage, response: ServerResponse, options: ServeOptions): Promise<void> | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const path = (request.url ?? "").split("?", 1)[0];
  if (path === "/health") return answerHealth(response);
  if (path === "/ready") return answerReady(response, options);
  if (path === "/metrics") return answerMetrics(response);
  return undefined;
}

async function listenerOf(handler: ServeOptions["handler"]): Promise<RequestListener> {
  if ("listener" in handler) return handler.listener;
  const { getRequestListener } = await import("@hono/node-server");
  const listener = getRequestListener((request, environment) => handler.fetch(request, environment as never));
  return (request, response) => void listener(request, response);
}

function recordWhenDone(
  request: IncomingMessage,
  response: ServerResponse,
  observe: ReturnType<typeof requestMetrics>,
) {
  const started = performance.now();
  response.once("close", () => {
    const method = request.method ?? "";
    // 499 is nginx' word for a client that went away before it had its answer.
    const status = response.writableFinished ? response.statusCode : 499;
    const latency = Math.round(performance.now() - started) / 1000;
    observe({ method, endpoint: routeOf(request), status, latency });
    const path = (request.url ?? "").split("?", 1)[0];
    log.info("request", { method, path, status, latency, ip: clientAddress(request) });
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Answers over HTTP until `stop`. `serve` is the same with everything that belongs to a process. */
export async function startServer(options: ServeOptions): Promise<RunningService> {
  nameLog(options.name);
  const listener = await listenerOf(options.handler);
  const observe = requestMetrics();
  const server = createServer((request, response) => {
    drain.track(response);
    const built = builtIn(request, response, options);
    if (built) {
      built.catch((error: unknown) => answer(response, 500, "text/plain", `${String(error)}\n`));
      return;
    }
    recordWhenDone(request, response, observe);
    listener(request, response);
  });
  // Longer than any common proxy keeps an idle connection, so that it is never this side that closes one which is about to be used.
  server.keepAliveTimeout = 75_000;
  const drain = new Drain(server);
  const port = await listen(server, options.port);
  log.info("listening", { port, seconds: Math.round(performance.now()) / 1000 });
  setImmediate(() => void loadMetrics());
  let stopping: Promise<boolean> | undefined;
  const stop = async () => {
    const complete = await drain.stop(options.grace ?? 25_000);
    await options.close?.();
    return complete;
  };
  return { port, stop: () => (stopping ??= stop()) };
}

/** Warnings of Node belong into the log like everything else; those about features that are experimental are for whoever chose them. */
function logWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") log.warn(warning.message, { name: warning.name });
  });
}

function exitOnFault(thrown: unknown): never {
  log.error("uncaught", { error: thrown });
  process.exit(1);
}

/**
 * Runs a service as a program: answers on PORT (or `port`), /health and /metrics included; SIGTERM lets it finish what it has and exits with 0; an error that
 * nobody caught is logged and exits with 1.
 */
export async function serve(options: ServeOptions): Promise<RunningService> {
  logWarnings();
  process.on("uncaughtException", exitOnFault);
  process.on("unhandledRejection", exitOnFault);
  let running: RunningService | undefined;
  const end = async (signal: string) => {
    const complete = (await running?.stop()) ?? true;
    log.info("stopped", { signal, complete });
    process.exit(complete ? 0 : 1);
  };
  // Before anything that takes time: the first process of a pod ignores a signal that it does not handle, and would be waited for.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(signal));
  const port = numberEnvironment("PORT", options.port, [0, 65_535]);
  running = await startServer({ ...options, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
    refuseConfiguration(
      `port ${port} ${error.code === "EACCES" ? "may not be used" : "is taken"}; set PORT to another`,
    );
  });
  return running;
}
