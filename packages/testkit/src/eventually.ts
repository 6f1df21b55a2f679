/**
 * Calls `attempt` until it neither throws nor returns undefined or false, and gives what it returned; after `timeout` milliseconds
 * throws what it last threw. For what a cluster does in its own time.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  timeout = 20_000,
  interval = 50,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeout;
  for (;;) {
    let failure: unknown = new Error(`not so within ${timeout} ms: ${attempt.toString()}`);
    try {
      const result = await attempt();
      if (result !== undefined && result !== null && result !== false) return result;
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= end) throw failure;
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
