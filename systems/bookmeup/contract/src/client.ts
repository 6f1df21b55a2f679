import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { dataApi, type DataApi, type Operation } from "./data-api.ts";
import { ApiError, ErrorBody, type ErrorStatus } from "./errors.ts";

type Part<Name extends string, Shape> = {} extends Shape ? { [N in Name]?: Shape } : { [N in Name]: Shape };

/** A creation that may be asked for twice: the same key of the same person gets the same answer. */
export interface Idempotency {
  /** Whose key it is: keys of different people never meet. */
  readonly scope: string;
  readonly key: string;
}

export type Input<O extends Operation> = Part<"params", z.input<DataApi[O]["params"]>> &
  Part<"query", z.input<DataApi[O]["query"]>> &
  Part<"body", z.input<DataApi[O]["body"]>> & { idempotency?: Idempotency | undefined };
export type Answer<O extends Operation> = z.output<DataApi[O]["answer"]>;

/** db-service as a set of functions. What it refuses is thrown as the ApiError that it answered. */
export type DataClient = { readonly [O in Operation]: (input: Input<O>) => Promise<Answer<O>> };

interface LooseInput {
  params?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  idempotency?: Idempotency | undefined;
}

export interface DataClientOptions {
  /** Such as `http://db-service:5003`. */
  readonly url: string;
  /** Milliseconds for which a call is tried again while db-service or its database cannot be reached (8,000). */
  readonly patience?: number;
}

function urlOf(base: string, path: string, { params = {}, query = {} }: LooseInput): string {
  const url = new URL(
    path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? "")),
    base,
  );
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return url.href;
}

/** Milliseconds after which an attempt is given up for the next: a replica whose machine is gone answers nothing at all. */
const longestAttempt = 4_000;

/** The answer, or undefined where nobody did the work and it may be tried again. */
async function attempt(url: string, init: RequestInit, milliseconds: number): Promise<Response | undefined> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(milliseconds) });
    if (response.status !== 503) return response;
    await response.body?.cancel();
  } catch {
    // No connection, a connection that broke, or no answer in time. Each operation may safely be sent again: what creates carries a key.
  }
  return undefined;
}

async function send(url: string, init: RequestInit, patience: number): Promise<Response> {
  const end = performance.now() + patience;
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    const response = await attempt(url, init, Math.min(longestAttempt, Math.max(end - performance.now(), 500)));
    if (response) return response;
    if (performance.now() + pause > end)
      throw new ApiError(503, "UNAVAILABLE", "The data is not reachable at the moment; try again shortly", {
        retryAfter: 2,
      });
    await delay(pause);
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const body = ErrorBody.safeParse(await response.json().catch(() => undefined));
  if (!body.success) return new ApiError(500, "INTERNAL", `db-service answered ${response.status}`);
  const { code, message, field } = body.data.error;
  return new ApiError(response.status as ErrorStatus, code, message, field === undefined ? {} : { field });
}

async function call(options: DataClientOptions, operation: Operation, input: LooseInput): Promise<unknown> {
  const { method, path, answer } = dataApi[operation];
  const headers: Record<string, string> = {};
  if (input.body !== undefined) headers["content-type"] = "application/json";
  if (method === "POST") {
    headers["idempotency-scope"] = input.idempotency?.scope ?? "call";
    headers["idempotency-key"] = input.idempotency?.key ?? randomUUID();
  }
  const init = { method, headers, ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }) };
  const response = await send(urlOf(options.url, path, input), init, options.patience ?? 8_000);
  if (!response.ok) throw await refusal(response);
  return answer.parse(await response.json());
}

/** A client of db-service. Calls wait out its restarts, and those of the database behind it, within `patience`. */
export function createDataClient(options: DataClientOptions): DataClient {
  const operations = Object.keys(dataApi) as Operation[];
  const entries = operations.map((operation) => [operation, (input: LooseInput) => call(options, operation, input)]);
  return Object.fromEntries(entries) as DataClient;
}
