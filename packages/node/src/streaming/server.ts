import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, messageOf } from "@dhow/base";
import { http } from "@dhow/base/http";
import type { Kubelet } from "../kubelet/kubelet.ts";
import { containerLogs } from "./container-logs.ts";
import { listeners } from "./listeners.ts";
import { nodeMetrics, resourceMetrics, statsSummary } from "./metrics.ts";
import { portForward } from "./port-forward.ts";
import { refuse } from "./refuse.ts";
import { attach, exec } from "./remote-command.ts";
import { findPod, RequestError } from "./targets.ts";
import { UsageMeter } from "./usage-meter.ts";

export interface KubeletServerOptions {
  readonly kubelets: readonly Kubelet[];
  readonly clock: Clock;
  /** How many nodes this process plays. */
  readonly nodes: number;
}

interface Measured extends KubeletServerOptions {
  readonly meter: UsageMeter;
}

type Handler = (
  options: Measured,
  parts: readonly string[],
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/** The kubelet's HTTP interface (pkg/kubelet/server/server.go), for all nodes of the agent. Who may ask is decided by whoever can reach it. */
export function createKubeletServer(options: KubeletServerOptions): Server {
  const measured = { ...options, meter: new UsageMeter(options.clock, options.nodes) };
  const server = http.createServer((request, response) => void handle(measured, request, response));
  server.on("upgrade", (request, socket, head) => void upgrade(options, request, socket, head));
  // A log that is followed, or a command that says nothing, is no dead connection.
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  return server;
}

async function handle(options: Measured, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { url, words } = target(request);
    const [first = "", ...parts] = words;
    const handler = handlers.get(`${first}/${parts[0] ?? ""}`) ?? handlers.get(first);
    if (!handler) throw new RequestError(404, "404 page not found");
    await handler(options, parts, url, request, response);
  } catch (error) {
    const status = error instanceof RequestError ? error.status : 500;
    if (response.headersSent) response.destroy();
    else text(response, `${messageOf(error)}\n`, "text/plain; charset=utf-8", status);
  }
}

function text(response: ServerResponse, body: string, type = "text/plain; charset=utf-8", status = 200): void {
  response.writeHead(status, { "content-type": type }).end(body);
}

/** Throws 400 where the path is none. */
function target(request: IncomingMessage): { readonly url: URL; readonly words: readonly string[] } {
  try {
    const url = new URL(`http://kubelet${request.url ?? "/"}`);
    return { url, words: url.pathname.split("/").filter(Boolean).map(decodeURIComponent) };
  } catch {
    throw new RequestError(400, "400 Bad Request");
  }
}

const handlers: ReadonlyMap<string, Handler> = new Map(
  Object.entries<Handler>({
    healthz: async (_options, _parts, _url, _request, response) => text(response, "ok"),
    pods: async ({ kubelets }, _parts, _url, _request, response) => {
      const items = kubelets.flatMap((kubelet) =>
        kubelet.workers().map(({ pod, status }) => ({ ...pod, status: status ?? pod.status })),
      );
      text(response, JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items }), "application/json");
    },
    containerLogs: ({ kubelets }, parts, url, request, response) =>
      containerLogs(kubelets, parts, url, request, response),
    "metrics/resource": async ({ kubelets, clock, meter }, _parts, url, _request, response) =>
      text(response, await resourceMetrics(nodesOf(kubelets, url), clock, meter)),
    "stats/summary": async ({ kubelets, clock, meter }, _parts, url, _request, response) =>
      text(response, JSON.stringify(await statsSummary(nodesOf(kubelets, url), clock, meter)), "application/json"),
    metrics: async ({ kubelets }, _parts, _url, _request, response) => text(response, nodeMetrics(kubelets)),
    listeners: async ({ kubelets }, parts, _url, _request, response) =>
      text(response, JSON.stringify(await listeners(kubelets, parts)), "application/json"),
    restart: async ({ kubelets }, parts, url, request, response) => {
      if (request.method !== "POST") throw new RequestError(405, "method not allowed");
      const worker = findPod(kubelets, parts[0] ?? "", parts[1] ?? "");
      await worker.restart(parts[2] ?? "", url.searchParams.has("alone"));
      text(response, "ok");
    },
  }),
);

/** `?node=` chooses one of the agent's nodes; an agent's kubelets share one address. */
function nodesOf(kubelets: readonly Kubelet[], url: URL): readonly Kubelet[] {
  const name = url.searchParams.get("node");
  return name ? kubelets.filter(({ context }) => context.nodeName === name) : kubelets;
}

async function upgrade(
  { kubelets, clock }: Pick<KubeletServerOptions, "kubelets" | "clock">,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on("error", () => undefined);
  try {
    const { url, words } = target(request);
    const [first = "", namespace = "", pod = "", ...rest] = words;
    const worker = findPod(kubelets, namespace, pod);
    // `/exec/ns/pod/uid/container` is the longer form of the same.
    const container = rest.at(-1) ?? "";
    const connection = { request, socket, head, clock };
    if (first === "exec") await exec(worker, container, url, connection);
    else if (first === "attach") await attach(worker, container, url, connection);
    else if (first === "portForward") await portForward(worker, url, connection);
    else throw new RequestError(404, "404 page not found");
  } catch (error) {
    refuse(socket, error instanceof RequestError ? error.status : 500, messageOf(error));
  }
}
