import type { RawAnswer } from "@dhow/testkit";
import type { RawTestServer } from "../raw-server.ts";
import { casesOf, type FuzzCase, namespace } from "./cases.ts";
import { everything, faultOf, reproduction, requireCleanPrototypes, send } from "./invariants.ts";

export interface FuzzFault {
  readonly number: number;
  readonly what: string;
  readonly request: string;
}

export interface FuzzResult {
  readonly sent: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly faults: readonly FuzzFault[];
  /** Every object that is stored in the end. */
  readonly stored: ReadonlyMap<string, string>;
}

/** So often everything that is stored is looked at. */
const lookEvery = 2500;
const blockSize = 1000;

/** What others have stored gets in the way of nobody: what a case needs is made, and nothing is cleared away. */
export async function fuzz(server: RawTestServer, seed: number, count: number): Promise<FuzzResult> {
  await prepareNamespace(server);
  const statuses: Record<number, number> = {};
  const faults: FuzzFault[] = [];
  let sent = 0;
  for (let block = 0; sent < count; block += 1) {
    for (const one of casesOf(seed + block, Math.min(blockSize, count - sent))) {
      const { answer, fault } = await tryOne(server, one);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      if (fault)
        faults.push({
          number: sent,
          what: `${fault}: ${answer.status} ${answer.body.slice(0, 300)}`,
          request: reproduction(one),
        });
      sent += 1;
      if (sent % lookEvery === 0) await everything(server);
    }
    requireCleanPrototypes();
  }
  return { sent, statuses, faults, stored: await everything(server) };
}

async function tryOne(server: RawTestServer, one: FuzzCase): Promise<{ answer: RawAnswer; fault: string | undefined }> {
  const { prepare } = one;
  if (prepare) await create(server, prepare.collection, prepare.object);
  server.reporter.reports.length = 0;
  const answer = await send(server, one);
  const [report] = server.reporter.reports;
  const fault = report ? `a fault of the server: ${report.message}` : faultOf(answer, one.method);
  return { answer, fault };
}

export async function prepareNamespace(server: Parameters<typeof send>[0]): Promise<void> {
  await create(server, "/api/v1/namespaces", { metadata: { name: namespace } });
  await create(server, `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: "default" } });
}

function create(server: Parameters<typeof send>[0], path: string, object: object): Promise<RawAnswer> {
  return send(server, {
    method: "POST",
    path,
    headers: [["Content-Type", "application/json"]],
    body: JSON.stringify(object),
  });
}
