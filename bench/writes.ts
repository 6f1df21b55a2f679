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
  {
    what: "create a ConfigMap, one client",
    unit: "/s",
    count: alone,
    times: 5,
    run: (at, round) => each(alone, 1, (index) => create(at, `alone-${round}-${index}`)),
  },
  {
    what: "create a ConfigMap, 16 clients",
    unit: "/s",
    count: together,
    times: 5,
    run: (at, round) => each(together, 16, (index) => create(at, `together-${round}-${index}`)),
  },
  {
    what: "update (PUT), one client",
    unit: "/s",
    count: alone,
    times: 5,
    run: ({ client }, round) =>
      each(alone, 1, (index) => {
        const name = `alone-${round}-${index}`;
        return client.send({ method: "PUT", path: `${maps}/${name}`, body: configMap(name, 1) });
      }),
  },
  {
    what: "update (PUT), 16 clients",
    unit: "/s",
    count: together,
    times: 5,
    run: ({ client }, round) =>
      each(together, 16, (index) => {
        const name = `together-${round}-${index}`;
        return client.send({ method: "PUT", path: `${maps}/${name}`, body: configMap(name, 1) });
      }),
  },
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

function patch(what: string, contentType: string, count: number, clients: number): Figure {
  const prefix = clients === 1 ? "alone" : "together";
  return {
    what,
    unit: "/s",
    count,
    times: 5,
    run: ({ client }, round) =>
      each(count, clients, (index) =>
        client.send({
          method: "PATCH",
          path: `${maps}/${prefix}-${round}-${index}`,
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
