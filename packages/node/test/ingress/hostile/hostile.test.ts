import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "@dhow/testkit";
import { IngressFixture } from "../fixture.ts";
import { cases } from "./cases.ts";
import { converse, listening, type Outcome, recorder, services, spec } from "./conversation.ts";
import { differences, expected } from "./differences.ts";

// What the ingress of a whole real cluster made of each: see record.ts.
const recorded = JSON.parse(readFileSync(new URL("recorded.json", import.meta.url), "utf8")) as Record<string, Outcome>;

async function outcomeOf(bytes: Buffer, wanted: Outcome | undefined): Promise<Outcome> {
  await using ingress = new IngressFixture();
  const reached: string[] = [];
  const pods = services.map((name) => ({ name, server: recorder(name, (request) => reached.push(request)) }));
  for (const { name, server } of pods) ingress.service(name, [await listening(server)]);
  ingress.ingress("hostile", spec);
  const place = { host: "127.0.0.1", port: await ingress.httpDoor() };
  const awaited = wanted?.statuses.length ?? 0;
  const statuses = await converse(place, bytes, { awaited, patience: 10_000 });
  await eventually(() => reached.length >= (wanted?.reached.length ?? 0), 10_000, 5);
  for (const { server } of pods) {
    server.closeAllConnections();
    server.close();
  }
  return { statuses, reached };
}

/** Who sends more than is read may lose the answer with the connection, here as there. */
const mayBeCut = new Set(["a path of 100,000 letters", "100,000 bytes of headers", "2,000 headers"]);

test(
  "bytes that a client may send reach a pod that a rule names for them, or none",
  { concurrency: 20 },
  async (suite) => {
    const trials = Object.entries(cases).map(([what, bytes]) =>
      suite.test(what, async () => {
        assert.ok(recorded[what], "no outcome is recorded");
        const wanted = expected(what, recorded[what]);
        if (differences[what]) assert.notDeepEqual(wanted, recorded[what], "there is no difference any more");
        const outcome = await outcomeOf(bytes, wanted);
        if (mayBeCut.has(what)) assert.deepEqual(outcome.statuses, outcome.statuses.length > 0 ? [431] : []);
        else assert.deepEqual(outcome.statuses, wanted?.statuses);
        assert.deepEqual(outcome.reached, wanted?.reached);
      }),
    );
    await Promise.all(trials);
  },
);
