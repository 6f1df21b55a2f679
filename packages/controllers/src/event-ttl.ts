import { type Event, isStatusError, refOf } from "@dhow/kube";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { millisecondsOf } from "./objects.ts";

/** How long an Event is kept after it last happened (kube-apiserver's --event-ttl; there etcd forgets them, here a controller deletes them). */
const ttl = 60 * 60_000;
const period = 60_000;

/** Deletes Events that are an hour old. */
export const eventTtl: Controller = {
  name: "event-ttl",
  start(manager) {
    const events = manager.informer(kinds.event);
    manager.every(period, "event-ttl", async () => {
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
