// kill -9 under people who book. DHOW_BOOKMEUP_KILLS says how often, DHOW_SEED repeats a run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { eventually } from "@dhow/testkit";
import { commandsOf, connect } from "../../../../packages/cli/test/fixture.ts";
import { type Footprint, footprint, leftovers, stillRunning } from "../../../../packages/cli/test/footprint.ts";
import { killProcess } from "../../../../packages/cli/test/survival/killer.ts";
import { moments } from "../../../../packages/cli/test/survival/moments.ts";
import { Revisions } from "../../../../packages/cli/test/survival/revisions.ts";
import { Writers } from "../../../../packages/cli/test/survival/writers.ts";
import { type BookMeUpCluster, startCluster } from "../cluster.ts";
import { Customer } from "./customers.ts";

const kills = Number(process.env["DHOW_BOOKMEUP_KILLS"] ?? 10);

/** Who is killed, in turn as often as this says out of the sum, each once before any comes again. */
const victims = {
  PostgreSQL: 3,
  "a connection of PostgreSQL": 2,
  "a service": 3,
  "control plane": 2,
  agent: 2,
  "control plane and agent": 1,
  host: 1,
  everything: 1,
} as const;
type Victim = keyof typeof victims;

/** How long all of it may take to be well again (milliseconds). */
const patience = 180_000;

describe("BookMeUp, killed under people who book", () => {
  const random = moments();
  const revisions = new Revisions();
  const killed = new Map<Victim, number>();
  const left: string[] = [];
  let cluster: BookMeUpCluster;
  let customers: Customer[] = [];
  let connection: ReturnType<typeof connect>;
  let writers: Writers;

  before(async () => {
    cluster = await startCluster();
    connection = connect(cluster.folder);
    customers = await Promise.all(Array.from({ length: 3 }, () => Customer.register(cluster.url)));
    writers = new Writers({ client: () => connection.client, namespace: "bookmeup", revisions, count: 1 });
  });
  after(async () => {
    await Promise.all(customers.map((customer) => customer.leave().catch(() => undefined)));
    await writers?.pause();
    connection?.[Symbol.dispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  function pidsOf(seen: Footprint, matches: (words: readonly string[], pid: number) => boolean): number[] {
    return [...seen.processes.keys()].filter((pid) => matches(commandsOf(pid), pid));
  }

  const isPostgres = ([program, option]: readonly string[]) => program === "postgres" && option === "-c";
  const isConnection = ([title = ""]: readonly string[]) => /^postgres: .* \d+\.\d+\.\d+\.\d+\(/.test(title);

  function one(pids: readonly number[], what: string): number {
    assert.ok(pids.length > 0, `no process is ${what}`);
    return pids[random.between(0, pids.length - 1)] ?? 0;
  }

  const planesOf = (seen: Footprint) =>
    pidsOf(seen, (words) => words.some((word) => word.endsWith("control-plane/main.ts")));
  const agentsOf = (seen: Footprint) => pidsOf(seen, (words) => words.some((word) => word.endsWith("agent/main.ts")));

  function kill(victim: Victim, seen: Footprint): void {
    const host = [...seen.processes.keys()][0] ?? 0;
    if (victim === "PostgreSQL") killProcess(one(pidsOf(seen, isPostgres), victim));
    else if (victim === "a connection of PostgreSQL") killProcess(one(pidsOf(seen, isConnection), victim));
    else if (victim === "a service")
      killProcess(
        one(
          pidsOf(seen, (words) => words.at(-2) === "src/main.ts"),
          victim,
        ),
      );
    else {
      if (/agent|everything/.test(victim)) killProcess(one(agentsOf(seen), "the agent"));
      if (/control plane|everything/.test(victim)) planesOf(seen).forEach((pid) => killProcess(pid));
      if (/host|everything/.test(victim)) killProcess(host);
    }
  }

  async function survive(victim: Victim): Promise<void> {
    const seen = await eventually(() => footprint(cluster.folder, { ports: [cluster.nodePort] }), patience);
    writers.start();
    await new Promise((resolve) => setTimeout(resolve, random.between(100, 1000)));
    kill(victim, seen);
    if (victim === "host" || victim === "everything") {
      await eventually(() => stillRunning(seen.processes).length === 0, patience);
      if (victim === "host") left.push(...(await settled(() => leftovers(seen))).map((line) => `${victim}: ${line}`));
      await cluster.up();
      connection[Symbol.dispose]();
      connection = connect(cluster.folder);
    }
    for (const customer of customers) await customer.isServed();
    await eventually(() => cluster.dhow("status").then(() => true), patience);
    await writers.pause();
    await eventually(() => writers.compare(), patience);
    killed.set(victim, (killed.get(victim) ?? 0) + 1);
  }

  it(
    `${kills} times: every booking that was acknowledged is there, and none twice`,
    { timeout: 3_600_000 },
    async (t) => {
      t.diagnostic(`DHOW_SEED=${random.seed} DHOW_BOOKMEUP_KILLS=${kills}`);
      for (const customer of customers) customer.start();
      const each = Object.keys(victims) as Victim[];
      for (let number = 0; number < kills; number++) {
        const victim = each[number] ?? random.pick(victims);
        await survive(victim).catch((error: unknown) => {
          throw new Error(`kill ${number + 1}, ${victim}, DHOW_SEED=${random.seed}`, { cause: error });
        });
      }
      await Promise.all(customers.map((customer) => customer.stop()));
      const found = await Promise.all(customers.map((customer) => customer.compare()));
      const lost = found.flatMap((each) => each.lost);
      const doubled = found.flatMap((each) => each.doubled);
      const sum = (of: (customer: Customer) => number) =>
        customers.reduce((total, customer) => total + of(customer), 0);
      t.diagnostic(`killed: ${[...killed].map(([victim, times]) => `${victim} ${times}`).join(", ")}`);
      t.diagnostic(
        `${sum(({ booked }) => booked.size)} bookings acknowledged, ${lost.length} lost, ${doubled.length} doubled; ${sum(({ repeated }) => repeated)} requests sent again`,
      );
      t.diagnostic(
        `${writers.acknowledged} API writes acknowledged, ${writers.lost.length} lost; ${left.length} things left behind`,
      );
      assert.deepEqual({ lost, doubled, left }, { lost: [], doubled: [], left: [] });
      assert.deepEqual(
        customers.flatMap(({ faults }) => faults),
        [],
      );
      assert.deepEqual([...writers.lost, ...writers.refused, ...revisions.faults], []);
      assert.ok(sum(({ booked }) => booked.size) > kills);
    },
  );

  it("is ended by down without anything left", async () => {
    const seen = footprint(cluster.folder, { ports: [cluster.nodePort] });
    assert.match(readFileSync(`${cluster.folder}/.dhow/running.json`, "utf8"), /"refusedPorts": \[\]/);
    await cluster.dhow("down");
    assert.deepEqual(leftovers(seen), []);
  });
});

/** What is found once it does not get less any more. */
async function settled(look: () => string[]): Promise<string[]> {
  let found = look();
  for (const end = Date.now() + 10_000; found.length > 0 && Date.now() < end; found = look())
    await new Promise((resolve) => setTimeout(resolve, 50));
  return found;
}
