import type { Server, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds without a request after which idle connections are closed: a request that was already on its way still gets its answer. */
const quiet = 100;
/** Milliseconds for which a server goes on to accept connections under load that does not stop: until then, a cluster has sent it elsewhere. */
const acceptAtMost = 5_000;

/** Keeps count of what a server has in flight, so that it can be stopped without losing any of it. */
export class Drain {
  readonly #server: Server;
  readonly #inFlight = new Set<ServerResponse>();
  #connections = 0;
  #lastActivity = -Infinity;
  #draining = false;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#connections += 1;
      this.#lastActivity = performance.now();
      socket.once("close", () => (this.#connections -= 1));
    });
  }

  get draining(): boolean {
    return this.#draining;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** To be called for each request, before anything is answered. */
  track(response: ServerResponse): void {
    this.#lastActivity = performance.now();
    this.#inFlight.add(response);
    response.once("close", () => {
      this.#inFlight.delete(response);
      this.#lastActivity = performance.now();
    });
    if (this.#draining) endsConnection(response);
  }

  /**
   * Ends the server: from now on every answer closes its connection; once it is quiet, or after five seconds, nothing new is accepted; resolves with true when
   * all that was accepted has its answer, with false when `grace` milliseconds were not enough.
   */
  async stop(grace: number): Promise<boolean> {
    this.#draining = true;
    const started = performance.now();
    for (const response of this.#inFlight) endsConnection(response);
    while (!this.#isQuiet(started) && performance.now() - started < Math.min(acceptAtMost, grace)) await delay(10);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const enough = await Promise.race([closed.then(() => true), delay(grace, false, { ref: false })]);
    if (!enough) this.#server.closeAllConnections();
    return enough;
  }

  #isQuiet(since: number): boolean {
    if (this.#inFlight.size > 0) return false;
    // Whoever holds a connection gets a moment to use it; with none, and none lately, there is nothing to wait for.
    const last = Math.max(this.#lastActivity, this.#connections > 0 ? since : -Infinity);
    return performance.now() - last > quiet;
  }
}

function endsConnection(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("Connection", "close");
}
