// One address for all of BookMeUp, as its Ingress gives it: the path says which service, and the prefix stays.
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface Front extends AsyncDisposable {
  readonly url: string;
}

/** Serves `routes` (prefix → base URL; several take turns) on a port of its own. The longest prefix wins. */
export async function startFront(routes: Record<string, readonly string[]>): Promise<Front> {
  const prefixes = Object.keys(routes).sort((a, b) => b.length - a.length);
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "/";
    const prefix = prefixes.find((one) => path === one || path.startsWith(one.endsWith("/") ? one : `${one}/`)) ?? "/";
    const targets = routes[prefix] ?? [];
    const target = new URL(path, targets[(turn += 1) % targets.length]);
    const headers = { ...incoming.headers, "x-forwarded-for": incoming.socket.remoteAddress };
    const forwarded = request(target, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.headersSent || outgoing.writeHead(502).end());
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
