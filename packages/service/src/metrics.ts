import type * as prometheus from "prom-client";

/** One answered request as the metrics see it. `endpoint` is a route pattern, never a path: the number of label values stays bounded. */
export interface RequestObservation {
  readonly method: string;
  readonly endpoint: string;
  readonly status: number;
  /** Seconds from the request's head to the end of the answer. */
  readonly latency: number;
}

export interface Counter {
  /** Adds `amount` (1) to the series with these label values; a distinct set is a series, so keep values few. */
  add(labels?: Readonly<Record<string, string>>, amount?: number): void;
}

type Library = typeof prometheus;

// The library takes longer to load than all the rest of a small service, so it is loaded after the service listens; what is counted before waits here.
let loading: Promise<Library> | undefined;
let loaded: Library | undefined;
const waiting: ((library: Library) => void)[] = [];

/** Loads the metrics library, once. */
export function loadMetrics(): Promise<Library> {
  loading ??= import("prom-client").then((library) => {
    library.collectDefaultMetrics();
    loaded = library;
    for (const action of waiting.splice(0)) action(library);
    return library;
  });
  return loading;
}

function whenLoaded(action: (library: Library) => void): void {
  if (loaded) action(loaded);
  else waiting.push(action);
}

/** A counter of the service's own, beside the request metrics on /metrics. */
export function counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
  let series: prometheus.Counter | undefined;
  whenLoaded((library) => (series = new library.Counter({ name, help, labelNames })));
  return { add: (labels = {}, amount = 1) => whenLoaded(() => series?.inc({ ...labels }, amount)) };
}

/** The observer of a server's requests: `app_requests_total` and `app_request_latency_seconds`. */
export function requestMetrics(): (observation: RequestObservation) => void {
  const requests = counter("app_requests_total", "Requests answered", ["method", "endpoint", "status"]);
  let observe: ((labels: { method: string; endpoint: string }, seconds: number) => void) | undefined;
  whenLoaded((library) => {
    const histogram = new library.Histogram({
      name: "app_request_latency_seconds",
      help: "Seconds to answer a request",
      labelNames: ["method", "endpoint"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    });
    observe = (labels, seconds) => histogram.observe(labels, seconds);
  });
  return ({ method, endpoint, status, latency }) => {
    requests.add({ method, endpoint, status: String(status) });
    whenLoaded(() => observe?.({ method, endpoint }, latency));
  };
}

/** The text of /metrics in Prometheus' format, and its content type. */
export async function metricsText(): Promise<{ contentType: string; text: string }> {
  const { register } = await loadMetrics();
  return { contentType: register.contentType, text: await register.metrics() };
}
