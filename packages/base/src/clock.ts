/** Time as it is handed to whatever waits or stamps, so that a test can make it pass. */
export interface Clock {
  /** Milliseconds since 1970, as `Date.now()`. */
  now(): number;
  /** Calls back once after `milliseconds`; the returned function cancels. A pending timer does not keep the process alive. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, callback) {
    // Node's timers overflow to 1 ms beyond 2^31-1 ms (24.8 days).
    const timer = setTimeout(callback, Math.min(milliseconds, 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits on the given clock; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
