import type { Clock } from "@dhow/base";

interface Watched {
  /** Bytes. */
  readonly limit: number;
  measure(): number;
  exceeded(): void;
}

const interval = 250;

/** Holds memory limits where no control group can: looks now and then, and says who is over. Asleep while nobody has a limit. */
export class MemoryWatch {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  #awake = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The returned function ends the watch. */
  add(watched: Watched): () => void {
    this.#watched.add(watched);
    if (!this.#awake) this.#sleep();
    return () => this.#watched.delete(watched);
  }

  #look(): void {
    for (const watched of this.#watched) {
      if (watched.measure() > watched.limit) watched.exceeded();
    }
    this.#awake = false;
    if (this.#watched.size > 0) this.#sleep();
  }

  #sleep(): void {
    this.#awake = true;
    this.#clock.after(interval, () => this.#look());
  }
}
