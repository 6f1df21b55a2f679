import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pod, startInformer } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { deployment, holds, registerNode, sorted, startWorld } from "./world.ts";

const pod = (name: string, spec: object = {}, cpu?: string, labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels },
  spec: { containers: [{ name: "c", image: "x", ...(cpu ? { resources: { requests: { cpu } } } : {}) }], ...spec },
});

test("pods of one Deployment are spread over the zones without asking for it", async () => {
  await using world = await startWorld({ nodes: 3 });
  await world.apply(deployment("web", 9));
  await holds(async () => {
    const pods = await world.pods({ app: "web" });
    const perNode = Map.groupBy(pods, ({ spec }) => spec.nodeName);
    assert.deepEqual(sorted(perNode.keys()), ["n1", "n2", "n3"]);
    for (const [node, group] of perNode) assert.equal(group.length, 3, `${node} has ${group.length}`);
  });
});

test("what fits nowhere says why, in the words of the real scheduler, and is bound when something changes", async () => {
  await using world = await startWorld({ nodeCpu: "2" });
  await world.apply(pod("big", {}, "3"), pod("choosy", { nodeSelector: { disk: "fast" } }));
  await holds(async () => {
    const big = await world.events("big");
    assert.deepEqual(big, [
      "FailedScheduling: 0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    ]);
    const choosy = await world.events("choosy");
    assert.match(choosy[0] ?? "", /2 node\(s\) didn't match Pod's node affinity\/selector\./);
    const { status } = await world.get<Pod>("v1", "Pod", "big");
    const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
    assert.equal(scheduled?.reason, "Unschedulable");
  });
  await world.client.patch({ apiVersion: "v1", kind: "Node", name: "n2" }, "merge", {
    metadata: { labels: { disk: "fast" } },
  });
  await registerNode(world.client, "n3", "4");
  await holds(async () => {
    assert.equal((await world.get<Pod>("v1", "Pod", "choosy")).spec.nodeName, "n2");
    assert.equal((await world.get<Pod>("v1", "Pod", "big")).spec.nodeName, "n3");
  });
});

test("affinity, anti-affinity, taints, host ports and hard spread are kept", async () => {
  await using world = await startWorld({ nodes: 3 });
  const term = (app: string, topologyKey = "kubernetes.io/hostname") => ({
    requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }],
  });
  await world.client.patch({ apiVersion: "v1", kind: "Node", name: "n3" }, "merge", {
    spec: { taints: [{ key: "only", value: "db", effect: "NoSchedule" }] },
  });
  await world.apply(
    pod(
      "db",
      { nodeSelector: { "kubernetes.io/hostname": "n3" }, tolerations: [{ key: "only", operator: "Exists" }] },
      undefined,
      { app: "db" },
    ),
    pod("with-db", { affinity: { podAffinity: term("db") }, tolerations: [{ key: "only", operator: "Exists" }] }),
    pod("alone-1", { affinity: { podAntiAffinity: term("alone") } }, undefined, { app: "alone" }),
    pod("alone-2", { affinity: { podAntiAffinity: term("alone") } }, undefined, { app: "alone" }),
    pod("alone-3", { affinity: { podAntiAffinity: term("alone") } }, undefined, { app: "alone" }),
    pod("port-1", { containers: [{ name: "c", image: "x", ports: [{ containerPort: 80, hostPort: 80 }] }] }),
    pod("port-2", { containers: [{ name: "c", image: "x", ports: [{ containerPort: 80, hostPort: 80 }] }] }),
  );
  await holds(async () => {
    const nodeOf = Object.fromEntries((await world.pods()).map(({ metadata, spec }) => [metadata.name, spec.nodeName]));
    assert.equal(nodeOf["db"], "n3");
    assert.equal(nodeOf["with-db"], "n3");
    assert.deepEqual(sorted(["alone-1", "alone-2", "alone-3"].map((name) => nodeOf[name])), ["n1", "n2", "none"]);
    assert.notEqual(nodeOf["port-1"], nodeOf["port-2"]);
  });
  const unplaced = (await world.pods({ app: "alone" })).find(({ spec }) => !spec.nodeName);
  await holds(async () => {
    const [event = ""] = await world.events(unplaced?.metadata.name ?? "");
    assert.match(event, /1 node\(s\) had untolerated taint\(s\), 2 node\(s\) didn't match pod anti-affinity rules/);
  });
});

test("a more important pod makes room for itself", async () => {
  await using world = await startWorld({ nodes: 2, nodeCpu: "2" });
  await world.client.create({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "high" },
    value: 1000,
  });
  await world.apply(pod("low-1", {}, "1500m"), pod("low-2", {}, "1500m"));
  await holds(async () => assert.ok((await world.pods()).every(({ spec }) => spec.nodeName)));
  await world.apply(pod("important", { priorityClassName: "high" }, "1500m"));
  await holds(async () => {
    assert.ok((await world.get<Pod>("v1", "Pod", "important")).spec.nodeName);
    assert.equal((await world.pods()).length, 2, "exactly one had to go");
  });
  const events = [...(await world.events("low-1")), ...(await world.events("low-2"))];
  assert.equal(events.filter((text) => text.startsWith("Preempted: Preempted by pod ")).length, 1);
});

test("a thousand pods are bound", async () => {
  await using world = await startWorld({ nodes: 4, nodePods: "300", kubelet: false });
  const pods = startInformer<Pod>(
    world.client,
    { apiVersion: "v1", kind: "Pod", namespace: "t" },
    { signal: AbortSignal.timeout(60_000) },
  );
  await world.apply(deployment("many", 1000));
  await eventually(() => pods.list().filter(({ spec }) => spec.nodeName).length === 1000, 40_000);
});
