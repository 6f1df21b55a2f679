import type { Clock, Reporter } from "@dhow/base";
import { messageOf } from "@dhow/base";
import type { Event, KubeClient, KubeObject } from "@dhow/kube";
import { timestamp } from "../objects.ts";
import { Recent } from "./recent.ts";

/** Records what happened to an object, for `kubectl describe` and `kubectl get events`. */
export interface EventRecorder {
  event(object: KubeObject, type: "Normal" | "Warning", reason: string, message: string, action?: string): void;
}

interface Seen {
  name: string;
  count: number;
  firstTimestamp: string;
}

interface Window {
  since: number;
  messages: Set<string>;
}

interface Recorded {
  readonly object: KubeObject;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly action: string | undefined;
}

/** client-go tools/record/events_cache.go: more than ten events that differ in nothing but the message, within ten minutes, become one. */
const similarEvents = 10;
const similarWithin = 600_000;
/** … and one source may say 25 things about one object at once, then one more every five minutes. */
const burst = 25;
const refill = 300_000;
/** As many as client-go's caches hold, and none longer than it makes a difference, or than the Event itself is kept. */
const remembered = { entries: 4096, milliseconds: 600_000 };
const inFlight = 8;

/**
 * Writes Events the way client-go's recorder does: what happens again counts up the Event that is there, what is similar is summed up,
 * what is too much is dropped. Nobody waits for an Event to be written, and nothing fails because one was not.
 */
export class EventWriter {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #seen: Recent<Seen>;
  readonly #similar: Recent<Window>;
  readonly #tokens: Recent<{ left: number; at: number }>;
  readonly #queue: { component: string; recorded: Recorded }[] = [];
  #writing = 0;
  #sequence = 0;

  constructor(client: KubeClient, clock: Clock, reporter: Reporter, ttl = Number.POSITIVE_INFINITY) {
    this.#client = client;
    this.#clock = clock;
    this.#reporter = reporter;
    const limits = { ...remembered, milliseconds: Math.min(remembered.milliseconds, ttl) };
    this.#seen = new Recent(clock, limits);
    this.#similar = new Recent(clock, limits);
    this.#tokens = new Recent(clock, limits);
  }

  recorder(component: string): EventRecorder {
    return {
      event: (object, type, reason, message, action) => {
        this.#queue.push({ component, recorded: { object, type, reason, message, action } });
        this.#next();
      },
    };
  }

  #next(): void {
    while (this.#writing < inFlight) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#writing++;
      this.#write(job.component, job.recorded)
        .catch((error: unknown) => {
          this.#reporter.report({
            kind: "controllers.event-lost",
            level: "debug",
            subject: job.component,
            message: `${job.recorded.reason}: ${messageOf(error)}`,
          });
        })
        .finally(() => {
          this.#writing--;
          this.#next();
        });
    }
  }

  async #write(component: string, recorded: Recorded): Promise<void> {
    const { object, type, reason } = recorded;
    const about = `${component}|${object.kind}|${object.metadata.namespace}|${object.metadata.name}|${object.metadata.uid}`;
    if (!this.#allowed(about)) return;
    const { key, message } = this.#aggregate(`${about}|${type}|${reason}`, recorded.message);
    const seen = this.#seen.get(key);
    const now = timestamp(this.#clock);
    if (seen) {
      seen.count++;
      this.#seen.set(key, seen);
      try {
        const namespace = object.metadata.namespace ?? "default";
        const ref = { apiVersion: "v1", kind: "Event", namespace, name: seen.name };
        await this.#client.patch(ref, "strategic", { count: seen.count, lastTimestamp: now, message });
        return;
      } catch {
        // The Event has aged away, or its namespace is going: write it anew below.
      }
    }
    const created = this.#build(component, { ...recorded, message }, now);
    this.#seen.set(key, { name: created.metadata.name ?? "", count: 1, firstTimestamp: now });
    await this.#client.create(created);
  }

  #build(component: string, { object, type, reason, message, action }: Recorded, now: string): Event {
    // client-go names Events after the time in nanoseconds; here the last digits are a sequence, so that no two are the same.
    const instant = BigInt(this.#clock.now()) * 1_000_000n + BigInt(this.#sequence++ % 1_000_000);
    const involvedObject = {
      kind: object.kind,
      apiVersion: object.apiVersion,
      name: object.metadata.name ?? "",
      ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
      ...(object.metadata.uid ? { uid: object.metadata.uid } : {}),
      ...(object.metadata.resourceVersion ? { resourceVersion: object.metadata.resourceVersion } : {}),
    };
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: {
        name: `${object.metadata.name}.${instant.toString(16)}`,
        namespace: object.metadata.namespace ?? "default",
      },
      involvedObject,
      type,
      reason,
      message,
      ...(action ? { action } : {}),
      source: { component },
      reportingComponent: component,
      reportingInstance: "",
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
    };
  }

  #allowed(about: string): boolean {
    const now = this.#clock.now();
    const bucket = this.#tokens.get(about) ?? { left: burst, at: now };
    const left = Math.min(burst, bucket.left + (now - bucket.at) / refill);
    if (left < 1) return false;
    this.#tokens.set(about, { left: left - 1, at: now });
    return true;
  }

  #aggregate(group: string, message: string): { key: string; message: string } {
    const now = this.#clock.now();
    let window = this.#similar.get(group);
    if (!window || now - window.since > similarWithin) window = { since: now, messages: new Set() };
    window.messages.add(message);
    window.since = now;
    this.#similar.set(group, window);
    if (window.messages.size <= similarEvents) return { key: `${group}|${message}`, message };
    return { key: group, message: `(combined from similar events): ${message}` };
  }
}
