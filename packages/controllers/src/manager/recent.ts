import type { Clock } from "@dhow/base";

export interface RecentLimits {
  readonly entries: number;
  readonly milliseconds: number;
}

/** Remembers what was set lately: no more than so many entries, and none longer than it is of use. */
export class Recent<V> {
  readonly #clock: Clock;
  readonly #limits: RecentLimits;
  /** In the order in which they were set. */
  readonly #entries = new Map<string, { readonly value: V; readonly at: number }>();

  constructor(clock: Clock, limits: RecentLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: V): void {
    const now = this.#clock.now();
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now });
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && now - at <= this.#limits.milliseconds) return;
      this.#entries.delete(oldest);
    }
  }

  get size(): number {
    return this.#entries.size;
  }
}
