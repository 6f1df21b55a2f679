import { join } from "node:path";
import { loadKubeconfig } from "@dhow/kube";
import { deployment, namespace } from "./bodies.ts";
import { LoadClient } from "./client.ts";
import { smallSystem, status, up } from "./embedded.ts";
import { HollowNode } from "./hollow-node.ts";
import { median, timeUntil } from "./measure.ts";
import { type Figure, inRounds, type Target } from "./rounds.ts";
import type { Row } from "./table.ts";

const replicas = 10;
const callers = 4;

interface Rolled {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** What `kubectl rollout status` waits for (kubectl/pkg/polymorphichelpers/rollout_status.go). */
async function isRolledOut(client: LoadClient, path: string): Promise<boolean> {
  const { metadata, status } = JSON.parse((await client.send({ path })).text) as Rolled;
  const { observedGeneration = 0, replicas: all, updatedReplicas, availableReplicas } = status ?? {};
  if (observedGeneration < metadata.generation) return false;
  return all === replicas && updatedReplicas === replicas && availableReplicas === replicas;
}

async function roll(client: LoadClient, path: string, version: string): Promise<number> {
  const annotations = { "bench/version": version };
  await client.send({
    method: "PATCH",
    path,
    contentType: "application/strategic-merge-patch+json",
    body: JSON.stringify({ spec: { template: { metadata: { annotations } } } }),
  });
  return timeUntil(() => isRolledOut(client, path), 120_000);
}

const name = "bench-rollout";
const web = `/apis/apps/v1/namespaces/${name}/deployments/web`;

const figure: Figure = {
  what: `rolling update of ${replicas} pods that are ready at once`,
  unit: "s",
  count: 1,
  times: 2,
  run: async ({ client }, round) => void (await roll(client, web, String(round))),
};

/** What the control planes make of a rolling update, on a node that runs nothing and says so at once. */
export async function hollowRollout(targets: readonly Target[], rounds: number): Promise<Row[]> {
  const nodes: HollowNode[] = [];
  try {
    for (const { client, server } of targets) {
      nodes.push(await HollowNode.start(server.connection, "hollow"));
      await client.send({ method: "POST", path: "/api/v1/namespaces", body: namespace(name) });
      const path = `/apis/apps/v1/namespaces/${name}/deployments`;
      await client.send({ method: "POST", path, body: deployment("web", replicas) });
      await timeUntil(() => isRolledOut(client, web), 120_000);
    }
    return await inRounds(targets, [figure], rounds);
  } finally {
    for (const node of nodes) node.stop();
  }
}

/** The same with real pods on the embedded cluster, while clients ask the application through the ingress all the time. */
export async function rollingUpdates(port: number, rounds: number): Promise<Row[]> {
  const { folder, remove } = smallSystem(replicas);
  const { stop } = up(folder, port);
  const load = { going: true, sent: 0, failed: 0 };
  try {
    await timeUntil(async () => (await status(port, "/")).code === 200, 120_000);
    const connection = loadKubeconfig(join(folder, ".dhow/kubeconfig"));
    const client = new LoadClient(connection, 4);
    const path = `/apis/apps/v1/namespaces/${connection.namespace}/deployments/api`;
    await timeUntil(() => isRolledOut(client, path), 120_000);
    const calls = Array.from({ length: callers }, () => call(port, load));
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push((await roll(client, path, String(round))) / 1000);
    load.going = false;
    await Promise.all(calls);
    client.close();
    return [
      { what: `rolling update of ${replicas} pods under load`, unit: "s", value: median(seconds), budget: 5 },
      { what: `… failed requests of ${load.sent}`, unit: "", value: load.failed, budget: 0 },
    ];
  } finally {
    load.going = false;
    await stop();
    await remove();
  }
}

async function call(port: number, load: { going: boolean; sent: number; failed: number }): Promise<void> {
  while (load.going) {
    load.sent++;
    const answer = await status(port, "/").catch(() => ({ code: 0 }));
    if (answer.code !== 200) load.failed++;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
