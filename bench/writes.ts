import { each, type LoadClient } from "./client.ts";
import { configMap, namespace } from "./bodies.ts";
import { type Figure, inRounds, type Target } from "./rounds.ts";
import type { Row } from "./table.ts";

const maps = "/api/v1/namespaces/bench-writes/configmaps";
const alone = 150;
const together = 400;

function create({ client }: Target, name: string): Promise<unknown> {
  return client.send({ method: "POST", path: maps, body: configMap(name) });
}

const figures: readonly Figure[] = [
  creations("create a ConfigMap, one client", alone, 1),
  creations("create a ConfigMap, 16 clients", together, 16),
  updates("update (PUT), one client", alone, 1),
  updates("update (PUT), 16 clients", together, 16),
  patch("merge patch, one client", "application/merge-patch+json", alone, 1),
  patch("strategic merge patch, 16 clients", "application/strategic-merge-patch+json", together, 16),
  {
    what: "server-side apply of a change, 16 clients",
    unit: "/s",
    count: together,
    times: 5,
    run: ({ client }, round) =>
      each(together, 16, (index) =>
        client.send({
          method: "PATCH",
          path: `${maps}/together-${round}-${index}?fieldManager=bench&force=true`,
          contentType: "application/apply-patch+yaml",
          body: configMap(`together-${round}-${index}`, 2),
        }),
      ),
  },
];

/** What a round's objects are called: those of one client, and those of many. */
const nameOf = (clients: number, round: number, index: number) =>
  `${clients === 1 ? "alone" : "together"}-${round}-${index}`;

function creations(what: string, count: number, clients: number): Figure {
  const run: Figure["run"] = (at, round) => each(count, clients, (index) => create(at, nameOf(clients, round, index)));
  return { what, unit: "/s", count, times: 5, run };
}

function updates(what: string, count: number, clients: number): Figure {
  const run: Figure["run"] = ({ client }, round) =>
    each(count, clients, (index) => {
      const name = nameOf(clients, round, index);
      return client.send({ method: "PUT", path: `${maps}/${name}`, body: configMap(name, 1) });
    });
  return { what, unit: "/s", count, times: 5, run };
}

function patch(what: string, contentType: string, count: number, clients: number): Figure {
  return {
    what,
    unit: "/s",
    count,
    times: 5,
    run: ({ client }, round) =>
      each(count, clients, (index) =>
        client.send({
          method: "PATCH",
          path: `${maps}/${nameOf(clients, round, index)}`,
          contentType,
          body: JSON.stringify({
            metadata: { labels: { patched: what.split(" ")[0] } },
            data: { LOG_LEVEL: `level-${index}` },
          }),
        }),
      ),
  };
}

async function warmUp(client: LoadClient, name: string): Promise<void> {
  await client.send({ method: "POST", path: maps, body: configMap(name) });
  await client.send({ method: "PUT", path: `${maps}/${name}`, body: configMap(name, 1) });
  const contentType = "application/merge-patch+json";
  await client.send({ method: "PATCH", path: `${maps}/${name}`, contentType, body: '{"data":{"LOG_LEVEL":"debug"}}' });
}

/** Writes of one object at a time, each acknowledged when it is on the disk. */
export async function writes(targets: readonly Target[], rounds: number): Promise<Row[]> {
  for (const { client } of targets) {
    await client.send({ method: "POST", path: "/api/v1/namespaces", body: namespace("bench-writes") });
    // What is compiled as it is used first, and what caches are filled with, is no part of any figure.
    await each(1_000, 16, (index) => warmUp(client, `warm-${index}`));
  }
  return inRounds(targets, figures, rounds);
}
