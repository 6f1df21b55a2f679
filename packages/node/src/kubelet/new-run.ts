import { type Clock, sleep } from "@dhow/base";
import type { RunningContainer } from "./running-container.ts";

/** How often it is looked, and for how long (milliseconds). */
const interval = 5;
const patience = 30_000;

/** Resolves when another run of a container than `old` can serve; throws when that ends before it could, or takes too long. */
export async function newRunServes(
  current: () => RunningContainer | undefined,
  old: RunningContainer,
  clock: Clock,
): Promise<void> {
  const end = clock.now() + patience;
  for (let fresh: RunningContainer | undefined; clock.now() < end; await sleep(clock, interval)) {
    const now = current();
    if (now && now !== old && now.ready) return;
    if (fresh && (now !== fresh || fresh.ended)) throw new Error("it ended before it was ready");
    if (now !== old) fresh = now;
  }
  throw new Error(`it was not ready within ${patience / 1000} s`);
}
