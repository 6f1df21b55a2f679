import type { Clock } from "@dhow/base";

export interface BackoffSettings {
  readonly initialMilliseconds: number;
  readonly maximumMilliseconds: number;
  /** A thing that stayed well for this long begins again at no delay. */
  readonly resetAfterMilliseconds: number;
}

/**
 * The wait between restarts of a crashing container. A kubelet starts at 10 s and doubles to 300 s; with its feature gate
 * ReduceDefaultCrashLoopBackOffDecay it starts at 1 s and doubles to 60 s, which suits a cluster on a developer's machine.
 * Reset: twice the upstream maximum (pkg/kubelet/kubelet.go, client-go/util/flowcontrol/backoff.go).
 */
export const crashLoopBackoff: BackoffSettings = {
  initialMilliseconds: 1_000,
  maximumMilliseconds: 60_000,
  resetAfterMilliseconds: 600_000,
};

/** The wait between attempts to find an image (kubelet's imageBackOff); a change of the node's table ends it at once. */
export const imageBackoff: BackoffSettings = {
  initialMilliseconds: 10_000,
  maximumMilliseconds: 300_000,
  resetAfterMilliseconds: 600_000,
};

/** The wait before a container whose ConfigMap, Secret or volume is missing is tried again. */
export const configBackoff: BackoffSettings = {
  initialMilliseconds: 1_000,
  maximumMilliseconds: 10_000,
  resetAfterMilliseconds: 600_000,
};

interface Entry {
  delay: number;
  lastUpdate: number;
}

/** How long each named thing has to wait before its next attempt: nothing at first, then doubling. */
export class Backoff {
  readonly #settings: BackoffSettings;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(settings: BackoffSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The present delay in milliseconds; 0 for what never failed. */
  delay(id: string): number {
    return this.#entries.get(id)?.delay ?? 0;
  }

  /** Milliseconds that are left to wait, counted from `failedAt`, when the last attempt ended. 0 where the next attempt may be made. */
  remaining(id: string, failedAt: number): number {
    const entry = this.#entries.get(id);
    if (!entry || this.#expired(entry, failedAt)) return 0;
    return Math.max(0, failedAt + entry.delay - this.#clock.now());
  }

  /** Notes a further attempt after a failure that ended at `failedAt`: doubles the delay, or starts over where it had stayed well. */
  next(id: string, failedAt: number): void {
    const entry = this.#entries.get(id);
    const now = this.#clock.now();
    if (!entry || this.#expired(entry, failedAt)) {
      this.#entries.set(id, { delay: this.#settings.initialMilliseconds, lastUpdate: now });
      return;
    }
    entry.delay = Math.min(entry.delay * 2, this.#settings.maximumMilliseconds);
    entry.lastUpdate = now;
  }

  forget(id: string): void {
    this.#entries.delete(id);
  }

  #expired(entry: Entry, failedAt: number): boolean {
    return failedAt - entry.lastUpdate > this.#settings.resetAfterMilliseconds;
  }
}
