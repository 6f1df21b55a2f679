/** People who ask a system through its entry point all the time. */
export class Visitors {
  answered = 0;
  /** What was not answered as it should be. */
  readonly failures: string[] = [];
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void[]>;

  constructor(url: string, count: number) {
    this.#url = url;
    this.#loops = Promise.all(Array.from({ length: count }, () => this.#visit()));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #visit(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const response = await fetch(this.#url, { signal: AbortSignal.timeout(10_000) });
        const text = await response.text();
        if (response.status === 200) this.answered += 1;
        else this.failures.push(`${response.status} ${text}`);
      } catch (error) {
        this.failures.push(String((error as { cause?: unknown }).cause ?? error));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
