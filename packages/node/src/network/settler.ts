/** Does one thing again after each change, never twice at a time, and once for all changes that came meanwhile. */
export class Settler {
  readonly #settle: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #next: Promise<void> | undefined;
  #current: Promise<void> = Promise.resolve();

  constructor(settle: () => Promise<void>, failed: (error: unknown) => void) {
    this.#settle = settle;
    this.#failed = failed;
  }

  /** Resolves when everything up to now has been taken into account, or has failed and was reported. */
  change(): Promise<void> {
    return (this.#next ??= this.#after(this.#current));
  }

  async #after(current: Promise<void>): Promise<void> {
    await current;
    // Changes come in bursts, each with its own callback: all of this turn are one.
    await new Promise(setImmediate);
    this.#current = this.#next ?? Promise.resolve();
    this.#next = undefined;
    try {
      await this.#settle();
    } catch (error) {
      this.#failed(error);
    }
  }
}
