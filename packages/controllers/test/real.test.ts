import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@dhow/base";
import { startControllers } from "@dhow/controllers";
import { type Deployment, httpTransport, KubeClient, loadKubeconfig, type Pod } from "@dhow/kube";
import { eventually, realKubernetes, RecordingReporter, temporaryFolder } from "@dhow/testkit";
import { startFakeKubelet } from "./fake-kubelet.ts";

const real = realKubernetes();

/** A port with free ones behind it, which etcd and the others take. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return Math.min(port, 65_000);
}

/** Its own controller manager and scheduler are ended: these controllers take their place. */
function endRealControllers(folder: string): void {
  for (const name of ["kube-controller-manager", "kube-scheduler"]) {
    const file = join(folder, "pids", name);
    if (existsSync(file)) process.kill(Number(readFileSync(file, "utf8")));
  }
}

test(
  "in the place of the real controllers and scheduler: a rollout, and a namespace that goes",
  { skip: real.skip, timeout: 120_000 },
  async () => {
    using folder = temporaryFolder();
    const end = new AbortController();
    try {
      const port = await freePort();
      execFileSync("bash", [`${real.folder}/up`, folder.path, "--port", String(port)], { stdio: "ignore" });
      endRealControllers(folder.path);
      const connection = loadKubeconfig(join(folder.path, "admin.kubeconfig"));
      const client = new KubeClient(httpTransport(connection), { userAgent: "kube-controller-manager" });
      await startControllers({ client, clock: systemClock, reporter: new RecordingReporter(), signal: end.signal });
      startFakeKubelet({ client, signal: end.signal });
      await readyNode(client, "n1");
      await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "t" } });
      await eventually(() =>
        client.find({ apiVersion: "v1", kind: "ServiceAccount", namespace: "t", name: "default" }),
      );
      const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "t", name: "web" };
      const labels = { app: "web" };
      const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "x:1" }] } };
      await client.create({
        ...ref,
        metadata: { name: "web", namespace: "t" },
        spec: { replicas: 3, selector: { matchLabels: labels }, template },
      });
      const available = (image: string) =>
        eventually(async () => {
          const { status, metadata } = await client.get<Deployment>(ref);
          const { items } = await client.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace: "t" });
          assert.deepEqual(
            [status?.observedGeneration, status?.updatedReplicas, status?.availableReplicas],
            [metadata.generation, 3, 3],
          );
          return (
            items.length === 3 &&
            items.every(({ spec }) => spec.nodeName === "n1" && spec.containers[0]?.image === image)
          );
        });
      await available("x:1");
      await client.patch(ref, "strategic", {
        spec: { template: { spec: { containers: [{ name: "c", image: "x:2" }] } } },
      });
      await available("x:2");
      const namespace = { apiVersion: "v1", kind: "Namespace", name: "t" };
      await client.delete(namespace);
      await eventually(async () => (await client.find(namespace)) === undefined);
    } finally {
      end.abort();
      execFileSync("bash", [`${real.folder}/down`, folder.path, "--forget"], { stdio: "ignore" });
    }
  },
);

async function readyNode(client: KubeClient, name: string): Promise<void> {
  await client.create({ apiVersion: "v1", kind: "Node", metadata: { name } });
  const capacity = { cpu: "8", memory: "16Gi", pods: "110" };
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const ready = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  const status = { capacity, allocatable: capacity, conditions: [ready] };
  await client.patch({ apiVersion: "v1", kind: "Node", name }, "merge", { status }, { subresource: "status" });
}
