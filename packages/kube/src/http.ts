import type { KubeObject } from "./objects.ts";

/** One HTTP exchange, as the client sends it and the API server's `handle` takes it. Header names are lower case. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, such as `/api/v1/pods?limit=500`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Whole, or in pieces as they come (watches, logs). Whoever stops reading an iterable calls its `return`. */
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  /** Aborted when whoever reads the body has fallen behind too far to be waited for: the connection is to be closed. */
  readonly cut?: AbortSignal;
  /** What a whole body says, from a server in the same process: frozen and shared, so that nobody parses what was never sent. */
  readonly value?: KubeObject;
  /** What the lines of a watch say, in the same way: those that have come together. Whoever reads them leaves `body` alone. */
  readonly events?: AsyncIterable<readonly WatchNotice[]>;
}

/** One event of a watch as the API names it; the object of an ERROR is a Status. */
export interface WatchNotice {
  readonly type: string;
  readonly object: unknown;
}

/** How a client reaches an API server: over TLS, over a Unix socket, or by a call in the same process. */
export interface Transport {
  request(request: HttpRequest): Promise<HttpResponse>;
}
