import { type Clock, randomSuffix, type Reporter } from "@dhow/base";
import type { Event, KubeClient, KubeObject } from "@dhow/kube";
import { messageOf } from "@dhow/base";
import { timestamp } from "./status/format.ts";

export interface EventInput {
  readonly about: KubeObject;
  /** The part of the object, such as `spec.containers{name}`. */
  readonly fieldPath?: string;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

interface Known {
  readonly name: string;
  count: number;
  lastSeen: number;
}

/** Equal events within this time are one with a count (client-go/tools/record/events_cache.go). */
const remembered = 600_000;
const maximumMessage = 1024;
/** About one object: so many events at once, and one more in each 5 min (client-go's EventSourceObjectSpamFilter). */
const burst = 25;
const refill = 300_000;

interface Allowance {
  tokens: number;
  at: number;
}

/** Writes a kubelet's events; equal ones are counted up in one object. Order is kept, nothing waits for them, what the server refuses is reported. */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #host: string;
  readonly #known = new Map<string, Known>();
  readonly #allowances = new Map<string, Allowance>();
  #queue: Promise<void> = Promise.resolve();

  constructor(client: KubeClient, clock: Clock, reporter: Reporter, host: string) {
    this.#client = client;
    this.#clock = clock;
    this.#reporter = reporter;
    this.#host = host;
  }

  record(input: EventInput): void {
    const time = this.#clock.now();
    if (!this.#allowed(input.about.metadata.uid ?? "", time)) return;
    this.#queue = this.#queue
      .then(() => this.#write(input, time))
      .catch((error: unknown) => {
        this.#reporter.report({
          kind: "event.failed",
          level: "debug",
          subject: input.reason,
          message: messageOf(error),
        });
      });
  }

  /** Resolves when what was recorded so far is written. */
  flush(): Promise<void> {
    return this.#queue;
  }

  async #write(input: EventInput, time: number): Promise<void> {
    const { about, fieldPath = "", type, reason, message } = input;
    const key = [about.metadata.uid, fieldPath, type, reason, message].join("\n");
    this.#forgetOld(time);
    const known = this.#known.get(key);
    const namespace = about.metadata.namespace ?? "default";
    if (known) {
      known.count += 1;
      known.lastSeen = time;
      const ref = { apiVersion: "v1", kind: "Event", namespace, name: known.name };
      try {
        await this.#client.patch(ref, "strategic", { count: known.count, lastTimestamp: timestamp(time) });
        return;
      } catch {
        // It has expired in the meantime: a new one takes its place.
      }
    }
    const name = `${about.metadata.name}.${Date.now().toString(16)}${randomSuffix(6)}`;
    this.#known.set(key, { name, count: known?.count ?? 1, lastSeen: time });
    await this.#client.create(this.#event(input, name, namespace, known?.count ?? 1, time));
  }

  #event(input: EventInput, name: string, namespace: string, count: number, time: number): Event {
    const { about, fieldPath, type, reason, message } = input;
    const { uid, resourceVersion } = about.metadata;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        ...(about.metadata.namespace ? { namespace: about.metadata.namespace } : {}),
        ...(about.metadata.name ? { name: about.metadata.name } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
        ...(fieldPath ? { fieldPath } : {}),
      },
      type,
      reason,
      message: message.slice(0, maximumMessage),
      count,
      firstTimestamp: timestamp(time),
      lastTimestamp: timestamp(time),
      source: { component: "kubelet", host: this.#host },
      reportingComponent: "kubelet",
      reportingInstance: this.#host,
    };
  }

  #allowed(uid: string, time: number): boolean {
    const known = this.#allowances.get(uid) ?? { tokens: burst, at: time };
    const tokens = Math.min(burst, known.tokens + (time - known.at) / refill);
    if (tokens < 1) return false;
    this.#allowances.set(uid, { tokens: tokens - 1, at: time });
    return true;
  }

  #forgetOld(time: number): void {
    for (const [uid, { tokens, at }] of this.#allowances) {
      if (tokens + (time - at) / refill >= burst) this.#allowances.delete(uid);
    }
    for (const [key, { lastSeen }] of this.#known) {
      if (time - lastSeen > remembered) this.#known.delete(key);
    }
  }
}
