import type { Storage } from "../storage/storage.ts";
import type { CountedAs } from "./counted-as.ts";
import { type Page, text } from "./pages.ts";

/** Seconds; the boundaries are those of a real server, fewer (apiserver/pkg/endpoints/metrics/metrics.go). */
const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 5, 8, 10, 30, 60];
interface Series {
  readonly labels: string;
  count: number;
  seconds: number;
  readonly buckets: number[];
}

/** What the server counts about itself, in Prometheus' text format at `/metrics`. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, Series>();
  #inFlight = 0;

  /** Notes that a request begins; the returned function, that it has been answered with a status. What has no route is not counted. */
  begin(): (code: number, as: CountedAs | undefined) => void {
    const start = performance.now();
    this.#inFlight++;
    return (code, as) => {
      this.#inFlight--;
      if (!as) return;
      const key = `code="${code}",${as.labels}`;
      this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
      if (!as.longRunning) this.#observe(as.labels, (performance.now() - start) / 1000);
    };
  }

  #observe(labels: string, seconds: number): void {
    let series = this.#durations.get(labels);
    if (!series) {
      series = { labels, count: 0, seconds: 0, buckets: bounds.map(() => 0) };
      this.#durations.set(labels, series);
    }
    series.count++;
    series.seconds += seconds;
    const bucket = bounds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) (series.buckets[bucket] as number)++;
  }

  page(storage: Storage): Page {
    return ({ path }) => {
      if (path !== "/metrics") return undefined;
      const response = text(200, `${[...this.#lines(storage)].join("\n")}\n`);
      return { ...response, headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } };
    };
  }

  *#lines(storage: Storage): Generator<string> {
    yield* head("apiserver_request_total", "counter", "Requests by verb, resource and status code.");
    for (const [labels, count] of this.#requests) yield `apiserver_request_total{${labels}} ${count}`;
    const name = "apiserver_request_duration_seconds";
    yield* head(name, "histogram", "How long answers took, in seconds.");
    for (const series of this.#durations.values()) yield* histogram(name, series);
    yield* head("apiserver_current_inflight_requests", "gauge", "Requests being worked on.");
    yield `apiserver_current_inflight_requests ${this.#inFlight}`;
    yield* head("apiserver_resource_objects", "gauge", "Stored objects.");
    for (const resource of storage.resources()) {
      yield `apiserver_resource_objects{resource="${resource}"} ${storage.count(resource)}`;
    }
    yield* head("apiserver_storage_revision", "counter", "Number of the last change of anything.");
    yield `apiserver_storage_revision ${storage.revision}`;
    yield* processLines();
  }
}

function* head(name: string, type: string, help: string): Generator<string> {
  yield `# HELP ${name} ${help}`;
  yield `# TYPE ${name} ${type}`;
}

function* histogram(name: string, series: Series): Generator<string> {
  let sum = 0;
  for (const [index, bound] of bounds.entries()) {
    sum += series.buckets[index] ?? 0;
    yield `${name}_bucket{${series.labels},le="${bound}"} ${sum}`;
  }
  yield `${name}_bucket{${series.labels},le="+Inf"} ${series.count}`;
  yield `${name}_sum{${series.labels}} ${series.seconds}`;
  yield `${name}_count{${series.labels}} ${series.count}`;
}

function* processLines(): Generator<string> {
  const { user, system } = process.cpuUsage();
  yield* head("process_cpu_seconds_total", "counter", "Processor time used, in seconds.");
  yield `process_cpu_seconds_total ${(user + system) / 1e6}`;
  yield* head("process_resident_memory_bytes", "gauge", "Resident memory in bytes.");
  yield `process_resident_memory_bytes ${process.memoryUsage.rss()}`;
  yield* head("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.");
  yield `process_start_time_seconds ${Math.floor(Date.now() / 1000 - process.uptime())}`;
}
