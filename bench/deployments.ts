import { each } from "./client.ts";
import { deployment, namespace } from "./bodies.ts";
import { type Figure, inRounds, type Target } from "./rounds.ts";
import type { Row } from "./table.ts";

const deployments = 200;
const podsEach = 5;

const nameOf = (round: number) => `bench-deployments-${round}`;
const pods = (round: number) => `/api/v1/namespaces/${nameOf(round)}/pods`;
const path = (round: number) => `/apis/apps/v1/namespaces/${nameOf(round)}/deployments`;

/** Follows the pods by a watch until as many are there as wanted. */
async function podsAre({ client }: Target, round: number, wanted: number): Promise<void> {
  const names = new Set<string>();
  const stream = await client.stream(`${pods(round)}?watch=1`);
  let rest = "";
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      const lines = (rest + piece.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) note(line, names);
      if (names.size === wanted) return;
    }
    throw new Error("the watch ended");
  } finally {
    stream.destroy();
  }
}

const anEvent = /^\{"type":"(\w+)".*?"metadata":\{"name":"([^"]+)"/;

function note(line: string, names: Set<string>): void {
  const [, type, name = ""] = anEvent.exec(line) ?? [];
  if (type === "DELETED") names.delete(name);
  else if (type === "ADDED") names.add(name);
}

const figures: readonly Figure[] = [
  {
    what: `${deployments} Deployments × ${podsEach} until all pods exist`,
    unit: "s",
    count: 1,
    times: 3,
    budget: 3.3,
    async before({ client }, round) {
      await client.send({ method: "POST", path: "/api/v1/namespaces", body: namespace(nameOf(round)) });
      // Pods are refused until the controllers have made it.
      const account = `/api/v1/namespaces/${nameOf(round)}/serviceaccounts/default`;
      while ((await client.try({ path: account })).status !== 200)
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async run(at, round) {
      const all = podsAre(at, round, deployments * podsEach);
      await each(deployments, 16, (index) =>
        at.client.send({ method: "POST", path: path(round), body: deployment(`web-${index}`, podsEach) }),
      );
      await all;
    },
  },
  {
    what: "… deleted until no pod is left",
    unit: "s",
    count: 1,
    times: 3,
    async run(at, round) {
      const none = podsAreNone(at, round);
      await each(deployments, 16, (index) => at.client.send({ method: "DELETE", path: `${path(round)}/web-${index}` }));
      await none;
    },
    async after({ client }, round) {
      await client.send({ method: "DELETE", path: `/api/v1/namespaces/${nameOf(round)}` });
      // Events and status writes that are still under way are of this round.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    },
  },
];

async function podsAreNone({ client }: Target, round: number): Promise<void> {
  for (;;) {
    const { text } = await client.send({ path: `${pods(round)}?limit=1` });
    if ((JSON.parse(text) as { items: unknown[] }).items.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Controllers at work; no node is there, so pods stay Pending on both sides. */
export async function manyDeployments(targets: readonly Target[], rounds: number): Promise<Row[]> {
  return inRounds(targets, figures, rounds);
}
