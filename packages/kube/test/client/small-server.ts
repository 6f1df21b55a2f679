import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { httpTransport, KubeClient, type KubeObject } from "@dhow/kube";

export interface Exchange {
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** An HTTP server of a test's own on a free port; `next()` is the next request, `seen` the paths of all. */
export async function smallServer() {
  const waiting: ((exchange: Exchange) => void)[] = [];
  const arrived: Exchange[] = [];
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://server");
    seen.push(`${request.method} ${request.url}`);
    const exchange = { url, request, response };
    const waiter = waiting.shift();
    if (waiter) waiter(exchange);
    else arrived.push(exchange);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const transport = httpTransport({ server: `http://127.0.0.1:${port}` });
  return {
    client: new KubeClient(transport),
    seen,
    next: () =>
      new Promise<Exchange>((resolve) => {
        const exchange = arrived.shift();
        if (exchange) resolve(exchange);
        else waiting.push(resolve);
      }),
    async [Symbol.asyncDispose]() {
      transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function answer(exchange: Exchange, body: unknown, status = 200): void {
  exchange.response.writeHead(status, { "content-type": "application/json" });
  exchange.response.end(JSON.stringify(body));
}

export function configMap(name: string, resourceVersion: number, data: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", uid: `uid-${name}`, resourceVersion: String(resourceVersion) },
    data,
  };
}

export function listOf(resourceVersion: number, ...items: KubeObject[]) {
  return { kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: String(resourceVersion) }, items };
}

export function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}
