import type { Clock } from "@dhow/base";
import { connect } from "node:net";

/** Most programs listen within a second; whoever waits for an edit sees the difference (milliseconds). */
const eager = { interval: 5, during: 1_000 };
const interval = 20;
const patience = 15_000;

/**
 * Calls back once when a TCP port accepts connections: looks every 5 ms, after a second every 20 ms, for at most 15 s, which at the start of a container is cheaper than
 * a second of waiting for the next probe. The returned function ends the watch.
 */
export function whenPortOpens(clock: Clock, host: string, port: number, callback: () => void): () => void {
  const begin = clock.now();
  let stopped = false;
  let cancel = () => undefined as void;
  const look = () => {
    const socket = connect({ host, port });
    const next = (open: boolean) => {
      socket.destroy();
      if (stopped) return;
      if (open) {
        stopped = true;
        callback();
        return;
      }
      const waited = clock.now() - begin;
      if (waited < patience) cancel = clock.after(waited < eager.during ? eager.interval : interval, look);
    };
    socket.once("connect", () => next(true));
    socket.once("error", () => next(false));
  };
  look();
  return () => {
    stopped = true;
    cancel();
  };
}
