import type { ChildProcess } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { messageOf, type Reporter } from "@dhow/base";
import type { Entrance, PortEntrance } from "../agent/entrances.ts";
import { clusterError } from "../errors.ts";
import { portOwner } from "./port-owner.ts";

/** Opens a port, on 127.0.0.1 unless said. Throws a DhowError that says who has it and how to choose another. */
export async function openDoor(port: number, instead: string, host = loopback): Promise<Server> {
  const server = createServer({ pauseOnConnect: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host }, resolve);
    });
    return server;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const owner = code === "EACCES" ? undefined : portOwner(port);
    throw clusterError("CLUSTER_PORT_TAKEN", {
      message:
        code === "EACCES"
          ? `port ${port} may be opened by root only`
          : `port ${port} is taken${owner ? ` by ${owner}` : ""}`,
      instead,
      cause: error,
    });
  }
}

/** The entry points of the ingress. */
export interface Entry {
  readonly http: Server;
  /** Undefined where the usual ports are taken: not everybody needs HTTPS. */
  readonly https: Server | undefined;
}

/** HTTP on the port that was asked for, else on 80 where that is allowed and free, else on 8080; HTTPS on 443 or 8443, or that which was asked for. */
export async function openEntry(asked: { http: number | undefined; https: number | undefined }): Promise<Entry> {
  const http = await openFirst(asked.http === undefined ? [80, 8080] : [asked.http], "another port: --port 8081");
  const instead = "another port: --https-port 8444";
  try {
    return { http, https: await openFirst(asked.https === undefined ? [443, 8443] : [asked.https], instead) };
  } catch (error) {
    if (asked.https === undefined) return { http, https: undefined };
    http.close();
    throw error;
  }
}

async function openFirst(ports: readonly number[], instead: string): Promise<Server> {
  for (const port of ports.slice(0, -1)) {
    try {
      return await openDoor(port, instead);
    } catch {
      // Not allowed, or taken: the next one, whose refusal is said.
    }
  }
  return openDoor(ports.at(-1) ?? 0, instead);
}

/** A port that somebody else has: nobody comes in by it. */
export interface RefusedPort {
  readonly port: number;
  /** Who has it, as a sentence. */
  readonly reason: string;
}

/** Where a door is. */
interface Place {
  readonly address: string;
  readonly port: number;
}

const loopback = "127.0.0.1";

/**
 * The host's doors. A listening socket is given to the agent and closed here, as whoever has it open takes part of the connections;
 * when an agent starts anew, the doors are opened anew.
 */
export class Doors {
  readonly #reporter: Reporter;
  readonly #places = new Map<Entrance, Place>();
  readonly #open = new Map<Entrance, Server>();
  /** Who came before a door was given away: the agent gets them, too. */
  readonly #waiting = new Map<Entrance, Socket[]>();
  /** Which agent has a door now. */
  readonly #given = new Map<Entrance, ChildProcess>();
  /** Those that could not be opened; it is tried again. */
  readonly #refused = new Map<Entrance, Place & RefusedPort>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  get refused(): readonly RefusedPort[] {
    return [...this.#refused.values()].map(({ port, reason }) => ({ port, reason }));
  }

  /** 0 where there is no such door. */
  portOf(entrance: Entrance): number {
    return this.#places.get(entrance)?.port ?? 0;
  }

  add(entrance: Entrance, server: Server): void {
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#places.set(entrance, address);
    this.#hold(entrance, server);
  }

  /** Opens a port of a Service; where it cannot be opened that is said once, as inside the cluster the Service works all the same. */
  async open(entrance: PortEntrance): Promise<void> {
    if (this.#places.has(entrance) || this.#refused.has(entrance)) return;
    const place = { address: loopback, port: Number(entrance.split(":")[0]) };
    const server = await this.#tryOpen(entrance, place, "end that program, or choose another port for the Service");
    if (server) this.add(entrance, server);
  }

  /** Looks whether those who had the ports that were refused have gone. */
  async openRefused(): Promise<void> {
    for (const [entrance, { address, port }] of this.#refused) {
      const server = await openDoor(port, "", address).catch(() => undefined);
      if (!server) continue;
      this.#refused.delete(entrance);
      this.add(entrance, server);
      const message = `port ${port} is free now, and leads into the cluster`;
      this.#reporter.report({ kind: "cluster.port-free", level: "info", subject: String(port), message });
    }
  }

  async #tryOpen(entrance: Entrance, place: Place, instead: string): Promise<Server | undefined> {
    const { address, port } = place;
    try {
      return await openDoor(port, instead, address);
    } catch (error) {
      const message = messageOf(error);
      this.#refused.set(entrance, { address, port, reason: message });
      const data = { instead };
      this.#reporter.report({ kind: "cluster.port-taken", level: "warn", subject: String(port), message, data });
      return undefined;
    }
  }

  #hold(entrance: Entrance, server: Server): void {
    this.#open.set(entrance, server);
    this.#waiting.set(entrance, []);
    server.on("connection", (socket) => this.#waiting.get(entrance)?.push(socket));
  }

  remove(entrance: Entrance): void {
    this.#places.delete(entrance);
    this.#refused.delete(entrance);
    this.#given.delete(entrance);
    this.#open.get(entrance)?.close();
    this.#open.delete(entrance);
  }

  /** Gives every door that it has not got yet to the agent. */
  async handOver(agent: ChildProcess): Promise<void> {
    for (const [entrance, place] of this.#places) {
      if (this.#given.get(entrance) === agent) continue;
      if (!this.#open.has(entrance)) {
        // The agent that had it is gone, and somebody else may have been faster.
        const server = await this.#tryOpen(entrance, place, "end that program");
        if (server) this.#hold(entrance, server);
        else this.#places.delete(entrance);
      }
      await this.#give(entrance, agent);
    }
  }

  #give(entrance: Entrance, agent: ChildProcess): Promise<void> {
    const server = this.#open.get(entrance);
    if (!server) return Promise.resolve();
    this.#given.set(entrance, agent);
    return new Promise((resolve) => {
      agent.send({ type: "listener", entrance }, server, () => {
        server.close();
        this.#open.delete(entrance);
        for (const socket of this.#waiting.get(entrance) ?? []) agent.send({ type: "connection", entrance }, socket);
        this.#waiting.delete(entrance);
        resolve();
      });
    });
  }

  close(): void {
    for (const server of this.#open.values()) server.close();
    for (const socket of [...this.#waiting.values()].flat()) socket.destroy();
    this.#open.clear();
    this.#waiting.clear();
  }
}
