// `npm run fuzz [-- --count N] [--seed S]`: requests with something wrong in them, against a server with a store of its own.
// `--against KUBECONFIG` (whose user has a token) asks that server too and compares what both say.
import { parseArgs } from "node:util";
import { temporaryFolder } from "@dhow/testkit";
import { realServer } from "../hostile/real-server.ts";
import { startRawServer } from "../raw-server.ts";
import { compareWith } from "./compare.ts";
import { fuzz } from "./fuzz.ts";

const { values } = parseArgs({
  options: { count: { type: "string" }, seed: { type: "string" }, against: { type: "string" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const count = Number(values.count ?? (values.against ? 5000 : 100_000));
console.log(`seed ${seed}, ${count} requests`);

using folder = temporaryFolder();
await using server = await startRawServer({ folder: folder.path });
const rest = () => Math.round(process.memoryUsage().rss / 1e6);

if (values.against) {
  const { agreed, compared, differences } = await compareWith(server, realServer(values.against), seed, count);
  for (const { ours, request, theirs } of differences)
    console.log(`\nthere ${theirs}\nhere  ${ours}\n      ${request.slice(0, 2000)}`);
  console.log(`\n${compared} compared, ${agreed} agreed in status and reason`);
} else {
  const started = rest();
  const { faults, sent, statuses, stored } = await fuzz(server, seed, count);
  for (const { number, request, what } of faults) console.log(`\n${number}: ${what}\n    ${request}`);
  console.log(`${sent} sent, ${faults.length} faults, answers by status ${JSON.stringify(statuses)}`);
  console.log(`${stored.size} objects stored, memory ${started} MB at the start and ${rest()} MB at the end`);
  if (faults.length > 0) process.exitCode = 1;
}
