/** What is waited for gets the processor that asking would take: who has waited long, and whose question takes long, asks less often. */
const share = 20;
const longest = 250;
const longestAfterSlow = 1_000;

/**
 * Calls `attempt` until it neither throws nor returns undefined or false, and gives what it returned; after `timeout` milliseconds
 * throws what it last threw. For what a cluster does in its own time. Between two calls are `interval` milliseconds, later more; as many as a call takes at least.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  timeout = 60_000,
  interval = 50,
): Promise<NonNullable<T>> {
  const start = Date.now();
  for (;;) {
    const asked = Date.now();
    let failure: unknown = new Error(`not so within ${timeout} ms: ${attempt.toString()}`);
    try {
      const result = await attempt();
      if (result !== undefined && result !== null && result !== false) return result;
    } catch (error) {
      failure = error;
    }
    const now = Date.now();
    if (now - start >= timeout) throw failure;
    const afterSlow = Math.min(now - asked, longestAfterSlow);
    const pause = Math.max(interval, Math.min((now - start) / share, longest), afterSlow);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
