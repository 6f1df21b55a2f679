import { type Event, isStatusError, refOf } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { millisecondsOf } from "./objects.ts";

const defaultTtl = 60 * 60_000;
const longestPeriod = 60_000;

/** Deletes Events that are an hour old. On a real cluster etcd forgets them, by a lease that each write renews. */
export const eventTtl: Controller = {
  name: "event-ttl",
  start(manager) {
    const events = manager.informer(kinds.event);
    const ttl = manager.options.eventTtlMilliseconds ?? defaultTtl;
    manager.every(Math.min(ttl / 4, longestPeriod), "event-ttl", async () => {
      const before = manager.clock.now() - ttl;
      for (const event of events.list()) {
        if (lastSeen(event) >= before) continue;
        try {
          await manager.client.delete(refOf(event));
        } catch (error) {
          if (!isStatusError(error, "NotFound")) throw error;
        }
      }
    });
  },
};

function lastSeen({ lastTimestamp, eventTime, series, metadata }: Event): number {
  const times = [lastTimestamp, series?.lastObservedTime, eventTime, metadata.creationTimestamp];
  return Math.max(...times.map((time) => millisecondsOf(time)));
}
