// What the three services share where they answer: errors, limits, and reading what they were sent.
import { log, routeLabels } from "@dhow/service";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { Idempotency } from "./client.ts";
import { ApiError, invalid } from "./errors.ts";

const largestBody = 64 * 1024;

function asResponse(context: Context, error: ApiError): Response {
  if (error.retryAfter !== undefined) context.header("Retry-After", String(Math.ceil(error.retryAfter)));
  if (error.status === 401) context.header("WWW-Authenticate", "Bearer");
  return context.json(error.body(), error.status as ContentfulStatusCode);
}

/** A hono application that names its routes for the metrics, limits bodies, and answers `{ error: { code, message, field? } }` whatever goes wrong. */
export function createApi(): Hono {
  const app = new Hono();
  app.use(routeLabels);
  app.use(
    bodyLimit({
      maxSize: largestBody,
      onError: (context) => asResponse(context, new ApiError(413, "TOO_LARGE", `At most ${largestBody} bytes`)),
    }),
  );
  app.onError((error, context) => {
    if (error instanceof ApiError) return asResponse(context, error);
    log.error("failed", { method: context.req.method, path: context.req.path, error });
    return asResponse(context, new ApiError(500, "INTERNAL", "Something went wrong here; it has been logged"));
  });
  app.notFound((context) =>
    asResponse(context, new ApiError(404, "NOT_FOUND", `There is nothing at ${context.req.path}`)),
  );
  return app;
}

/** The JSON body in the given shape, or the 400 that names the field. */
export async function readBody<T extends z.ZodType>(context: Context, shape: T): Promise<z.output<T>> {
  const type = context.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new ApiError(415, "NOT_JSON", "Send application/json");
  let body: unknown;
  try {
    body = JSON.parse(await context.req.text());
  } catch {
    throw new ApiError(400, "INVALID_JSON", "The body is not JSON");
  }
  return check(shape, body);
}

/** The query in the given shape, or the 400 that names the field. */
export function readQuery<T extends z.ZodType>(context: Context, shape: T): z.output<T> {
  return check(shape, context.req.query());
}

export function check<T extends z.ZodType>(shape: T, value: unknown): z.output<T> {
  const result = shape.safeParse(value);
  if (!result.success) throw invalid(result.error);
  return result.data;
}

/** The Idempotency-Key that came with a request, as that of `scope`; undefined where there is none. */
export function readIdempotency(context: Context, scope: string): Idempotency | undefined {
  const key = context.req.header("idempotency-key");
  if (key === undefined) return undefined;
  if (!/^[\u0021-\u007e]{1,200}$/.test(key))
    throw new ApiError(400, "INVALID", "1 to 200 visible ASCII characters", { field: "Idempotency-Key" });
  return { scope, key };
}
