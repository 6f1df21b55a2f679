import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "@dhow/testkit";
import { startRawServer } from "../raw-server.ts";
import { fuzz } from "./fuzz.ts";
import { everything } from "./invariants.ts";

/** Always the same requests here, so that a failure is one of the change and not of the day; `npm run fuzz` takes others. */
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_126);
const count = Number(process.env["FUZZ_COUNT"] ?? 5000);

test(`${count} requests with something wrong in them (FUZZ_SEED=${seed})`, async (t) => {
  using folder = temporaryFolder();
  const before = new Set(readdirSync(process.cwd()));
  await using server = await startRawServer({ folder: folder.path });
  const { faults, sent, statuses, stored } = await fuzz(server, seed, count);
  t.diagnostic(`answers by status: ${JSON.stringify(statuses)}; ${stored.size} objects stored`);
  assert.equal(sent, count);
  assert.deepEqual(faults.slice(0, 10), [], `${faults.length} faults`);
  // Most must not be refused for one and the same reason, or nothing is tried.
  assert.ok(
    (statuses[200] ?? 0) + (statuses[201] ?? 0) > count / 10 && (statuses[422] ?? 0) > count / 50,
    "too few get through",
  );

  // What was acknowledged is there after a restart, and nothing else was written anywhere.
  await server.api.close();
  await using again = await startRawServer({ folder: folder.path });
  assert.deepEqual(await everything(again), stored);
  assert.deepEqual(readdirSync(folder.path).sort(), ["store"]);
  assert.deepEqual(
    readdirSync(process.cwd()).filter((name) => !before.has(name)),
    [],
  );
});
