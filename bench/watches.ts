import type { IncomingMessage } from "node:http";
import { LoadClient, each } from "./client.ts";
import { configMap, namespace } from "./bodies.ts";
import { type Figure, inRounds, type Target } from "./rounds.ts";
import type { Row } from "./table.ts";

const watchers = 100;
const changes = 500;
const path = "/api/v1/namespaces/bench-watches/configmaps";
const newline = 10;

/** Everybody's events are counted; one who writes nothing but reads all. */
class Audience {
  #left = watchers * changes;
  #streams: IncomingMessage[] = [];
  #client: LoadClient | undefined;
  #done: () => void = () => undefined;
  readonly complete = new Promise<void>((resolve) => (this.#done = resolve));

  async gather({ server }: Target, from: string): Promise<void> {
    this.#client = new LoadClient(server.connection, watchers);
    const open = () => (this.#client as LoadClient).stream(`${path}?watch=1&resourceVersion=${from}`);
    this.#streams = await Promise.all(Array.from({ length: watchers }, open));
    for (const stream of this.#streams) stream.on("data", (piece: Buffer) => this.#count(piece));
  }

  leave(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#client?.close();
  }

  #count(piece: Buffer): void {
    for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, at + 1)) this.#left--;
    if (this.#left <= 0) this.#done();
  }
}

const audiences = new Map<string, Audience>();

const figure: Figure = {
  what: `events to ${watchers} watchers, 16 writers`,
  unit: "/s",
  count: watchers * changes,
  times: 2,
  async before(at) {
    const { metadata } = JSON.parse((await at.client.send({ path: `${path}?limit=1` })).text) as {
      metadata: { resourceVersion: string };
    };
    const audience = new Audience();
    await audience.gather(at, metadata.resourceVersion);
    audiences.set(at.server.name, audience);
  },
  async run({ client, server }, round) {
    await each(changes, 16, (index) => client.send({ method: "POST", path, body: configMap(`map-${round}-${index}`) }));
    await audiences.get(server.name)?.complete;
  },
  async after({ server }) {
    audiences.get(server.name)?.leave();
  },
};

/** From the first of 500 writes until the last of 100 watchers has the last event. */
export async function watches(targets: readonly Target[], rounds: number): Promise<Row[]> {
  for (const { client } of targets) {
    await client.send({ method: "POST", path: "/api/v1/namespaces", body: namespace("bench-watches") });
  }
  return inRounds(targets, [figure], rounds);
}
