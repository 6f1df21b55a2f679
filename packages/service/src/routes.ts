import type { IncomingMessage } from "node:http";
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";

const routes = new WeakMap<IncomingMessage, string>();

/** Says which route pattern answers a request, such as `/services/:id`: the `endpoint` label of its metrics. */
export function nameRoute(request: IncomingMessage, pattern: string): void {
  routes.set(request, pattern);
}

/** What `nameRoute` said, or `unmatched`. */
export function routeOf(request: IncomingMessage): string {
  return routes.get(request) ?? "unmatched";
}

/** Node's own request behind a hono context that `serve` called, or undefined in a test that calls `app.request()`. */
export function incomingOf(context: Context): IncomingMessage | undefined {
  return (context.env as { incoming?: IncomingMessage } | undefined)?.incoming;
}

/** A hono middleware, to be used first of all: names the route of each request for the metrics. */
export const routeLabels: MiddlewareHandler = async (context, next) => {
  await next();
  const incoming = incomingOf(context);
  if (!incoming) return;
  const pattern = routePath(context, -1);
  if (!pattern.endsWith("*")) nameRoute(incoming, pattern);
};

/**
 * The address of whoever asks: what the nearest proxy saw (the last entry of X-Forwarded-For, since earlier ones are the client's own words), else the
 * peer of the connection.
 */
export function clientAddress(request: IncomingMessage): string {
  const forwarded = [request.headers["x-forwarded-for"] ?? []].flat().join(",");
  const nearest = forwarded.split(",").at(-1)?.trim();
  return nearest || (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}
