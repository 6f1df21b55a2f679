import type { Clock } from "@dhow/base";

export interface WorkQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How many keys are worked on at once; one key never is by two. */
  readonly workers: number;
  /** Does the work for one key. A number asks to be called again after so many milliseconds; what is thrown is tried again with back-off. */
  readonly reconcile: (key: string) => Promise<number | void>;
  readonly onError: (key: string, error: unknown, failures: number) => void;
}

/** First retry after 5 ms, doubling (client-go util/workqueue, DefaultTypedControllerRateLimiter) … */
const firstBackOff = 5;
/** … but never later than a minute, where client-go goes to 1,000 s: a person waits for this cluster. */
const longestBackOff = 60_000;

/**
 * A queue of keys with the guarantees of client-go's workqueue: a key that is added while it waits is not added twice, one that is
 * added while it is worked on is worked on again afterwards, and one that fails waits twice as long each time.
 */
export class WorkQueue {
  readonly name: string;
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { at: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  #processed = 0;
  #retried = 0;
  #scheduled = false;
  #paused = true;

  constructor(options: WorkQueueOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Lets work begin; before, keys are only collected. */
  start(): void {
    this.#paused = false;
    this.#kick();
  }

  add(key: string): void {
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#kick();
  }

  /** Adds the key after a while; of several requests for one key the earliest counts. */
  addAfter(key: string, milliseconds: number): void {
    if (milliseconds <= 0) {
      this.add(key);
      return;
    }
    const at = this.#options.clock.now() + milliseconds;
    const earlier = this.#delayed.get(key);
    if (earlier && earlier.at <= at) return;
    earlier?.cancel();
    const cancel = this.#options.clock.after(milliseconds, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, cancel });
  }

  /** Lengths and counts, as kube-controller-manager's `workqueue_*` metrics name them. */
  metrics(): { depth: number; unfinished: number; adds: number; retries: number } {
    return {
      depth: this.#waiting.size,
      unfinished: this.#running.size,
      adds: this.#processed,
      retries: this.#retried,
    };
  }

  #kick(): void {
    if (this.#scheduled || this.#paused || this.#options.signal.aborted) return;
    this.#scheduled = true;
    // A turn later, so that a burst of events about one key becomes one piece of work.
    setImmediate(() => {
      this.#scheduled = false;
      this.#work();
    });
  }

  #work(): void {
    if (this.#options.signal.aborted) {
      for (const timer of this.#delayed.values()) timer.cancel();
      return;
    }
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.workers) return;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    this.#processed++;
    try {
      const after = await this.#options.reconcile(key);
      this.#failures.delete(key);
      if (typeof after === "number") this.addAfter(key, Math.max(after, 1));
    } catch (error) {
      this.#retry(key, error);
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.#waiting.add(key);
      this.#kick();
    }
  }

  #retry(key: string, error: unknown): void {
    if (this.#options.signal.aborted) return;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#retried++;
    this.#options.onError(key, error, failures);
    this.addAfter(key, Math.min(firstBackOff * 2 ** (failures - 1), longestBackOff));
  }
}
