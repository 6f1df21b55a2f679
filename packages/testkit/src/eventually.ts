/** Whoever has waited long asks less often: what is waited for gets the processor that asking would take. */
const share = 20;
const longest = 250;

/**
 * Calls `attempt` until it neither throws nor returns undefined or false, and gives what it returned; after `timeout` milliseconds
 * throws what it last threw. For what a cluster does in its own time. Between two calls are `interval` milliseconds, later more, 250 at most.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  timeout = 20_000,
  interval = 50,
): Promise<NonNullable<T>> {
  const start = Date.now();
  for (;;) {
    let failure: unknown = new Error(`not so within ${timeout} ms: ${attempt.toString()}`);
    try {
      const result = await attempt();
      if (result !== undefined && result !== null && result !== false) return result;
    } catch (error) {
      failure = error;
    }
    const waited = Date.now() - start;
    if (waited >= timeout) throw failure;
    const pause = Math.max(interval, Math.min(waited / share, longest));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
