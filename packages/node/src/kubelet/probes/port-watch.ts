import type { Clock } from "@dhow/base";
import { connect } from "node:net";

const interval = 20;
const patience = 15_000;

/**
 * Calls back once when a TCP port accepts connections: looks every 20 ms, for at most 15 s, which at the start of a container is cheaper than
 * a second of waiting for the next probe. The returned function ends the watch.
 */
export function whenPortOpens(clock: Clock, host: string, port: number, callback: () => void): () => void {
  const end = clock.now() + patience;
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
      } else if (clock.now() < end) cancel = clock.after(interval, look);
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
