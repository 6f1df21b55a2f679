import type { RawAnswer } from "@dhow/testkit";
import { load } from "js-yaml";
import type { RawServer } from "../hostile/real-server.ts";
import { casesOf, type FuzzCase } from "./cases.ts";
import { prepareNamespace } from "./fuzz.ts";
import { reproduction, send } from "./invariants.ts";

interface Comparison {
  readonly compared: number;
  readonly agreed: number;
  readonly differences: readonly { readonly request: string; readonly theirs: string; readonly ours: string }[];
}

/** Kinds that the controllers of a whole cluster write to, or that change what all later requests get. */
const restless =
  /\/(?:namespaces|nodes|apiservices|flowschemas|prioritylevelconfigurations|servicecidrs|ipaddresses|.*webhookconfigurations|.*admissionpolic\w+)(?:[/?]|$)/;

/** Sends each request to both, each time with nothing there but what it needs. */
export async function compareWith(
  ours: RawServer,
  theirs: RawServer,
  seed: number,
  count: number,
): Promise<Comparison> {
  const both = [ours, theirs];
  await Promise.all(both.map(prepareNamespace));
  let compared = 0;
  let agreed = 0;
  const differences: { request: string; theirs: string; ours: string }[] = [];
  for (let block = 0; block * 1000 < count; block += 1) {
    for (const one of casesOf(seed + block, Math.min(1000, count - block * 1000))) {
      if (restless.test(one.path.replace("/namespaces/fuzz", ""))) continue;
      const [here, there] = await Promise.all(both.map((server) => tryAlone(server, one)));
      compared += 1;
      const [mine = "", other = ""] = [here, there].map(summary);
      // Protobuf is read here, but never written.
      const onlyThere = there?.body.startsWith("k8s\0") === true && here?.status === there.status;
      if (mine === other || onlyThere) agreed += 1;
      else
        differences.push({
          request: reproduction(one),
          theirs: `${other} ${shown(there)}`,
          ours: `${mine} ${shown(here)}`,
        });
    }
  }
  return { compared, agreed, differences };
}

async function tryAlone(server: RawServer, one: FuzzCase): Promise<RawAnswer> {
  const { prepare } = one;
  const json = [["Content-Type", "application/json"] as const];
  if (prepare)
    await send(server, {
      method: "POST",
      path: prepare.collection,
      headers: json,
      body: JSON.stringify(prepare.object),
    });
  const answer = await send(server, one);
  const collection = prepare?.collection ?? one.path.split("?")[0] ?? "";
  const names = new Set([prepare?.object.metadata.name, nameIn(answer)]);
  for (const name of names) {
    if (!name) continue;
    const path = `${collection}/${encodeURIComponent(name)}`;
    await send(server, {
      method: "PATCH",
      path,
      headers: [["Content-Type", "application/merge-patch+json"]],
      body: '{"metadata":{"finalizers":null}}',
    });
    await send(server, { method: "DELETE", path: `${path}?gracePeriodSeconds=0` });
  }
  return answer;
}

function nameIn({ body, status }: RawAnswer): string | undefined {
  if (status !== 201 && status !== 200) return undefined;
  try {
    return (JSON.parse(body) as { metadata?: { name?: string } }).metadata?.name;
  } catch {
    return undefined;
  }
}

function summary({ body, status }: RawAnswer = { status: 0, headers: {}, body: "" }): string {
  if (status < 400) return String(status);
  try {
    // Which reads JSON, too.
    return `${status} ${(load(body) as { reason?: string }).reason ?? ""}`;
  } catch {
    return String(status);
  }
}

function shown(answer: RawAnswer | undefined): string {
  try {
    return ((JSON.parse(answer?.body ?? "") as { message?: string }).message ?? "").slice(0, 300);
  } catch {
    return (answer?.body ?? "").slice(0, 100);
  }
}
