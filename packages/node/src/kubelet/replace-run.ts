import { type Clock, sleep } from "@dhow/base";
import type { Pod } from "@dhow/kube";
import type { PodContainers } from "./pod-containers.ts";
import { latest, type PodRecord } from "./pod-record.ts";
import type { RunningContainer } from "./running-container.ts";

/**
 * How long everybody in this cluster needs to hear that a pod is out of service: its endpoints, the kernel's rules and the ingress are on
 * one machine.
 */
const drainMilliseconds = 50;

/** How often it is looked whether a new run serves, and for how long (milliseconds). */
const interval = 5;
const patience = 30_000;

export interface Replacement {
  readonly name: string;
  /** Nothing else could serve meanwhile, so that there is nobody to send requests to instead. */
  readonly alone: boolean;
  readonly pod: Pod;
  readonly record: PodRecord;
  readonly containers: PodContainers;
  readonly clock: Clock;
  readonly wake: () => void;
  /** Brings the status to the API; resolves when it is there. */
  readonly tell: () => Promise<void>;
  /** Whether the pod is to end, so that there will be no other run. */
  readonly over: () => boolean;
}

/**
 * Ends a container and starts it again in the same sandbox without any back-off: its source has changed. It is taken out of service first.
 * Resolves when the new run serves and the API knows, so that whoever restarts several always has one; throws when it does not come to that.
 */
export async function replaceRun(replacement: Replacement): Promise<void> {
  const { name, alone, pod, containers, clock, tell } = replacement;
  // What is being started may have read the old source already.
  await containers.settled(name);
  const running = containers.get(name);
  if (running) {
    const leave = () => tell().then(() => sleep(clock, drainMilliseconds));
    if (!alone) await running.drain(leave);
    await containers.replace(pod, running);
  } else if (!startsAgain(replacement)) return;
  await newRunServes(replacement, running);
  await tell();
}

/** Tries a container that does not run again at once; false where it has never run, and waits for something else than its source. */
function startsAgain({ name, pod, record, containers, wake, over }: Replacement): boolean {
  const container = pod.spec.containers.find((one) => one.name === name);
  if (container) containers.attempts.forget(container);
  wake();
  return latest(record, name)?.state === "exited" && !over();
}

/** Resolves when another run than `old` can serve; throws when that ends before it could, or takes too long. */
async function newRunServes(
  { name, containers, over, clock }: Replacement,
  old: RunningContainer | undefined,
): Promise<void> {
  const end = clock.now() + patience;
  for (let fresh: RunningContainer | undefined; clock.now() < end; await sleep(clock, interval)) {
    const now = containers.get(name);
    if (over() || (now && now !== old && now.ready)) return;
    if (fresh && (now !== fresh || fresh.ended)) throw new Error("it ended before it was ready");
    if (now !== old) fresh = now;
  }
  throw new Error(`it was not ready within ${patience / 1000} s`);
}
