import assert from "node:assert/strict";
import type { DaemonSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, isReady, type Trial } from "../fact.ts";
import { allReady, changeTemplate, observe, podsOf, workload } from "./workload.ts";

const slow = { readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 1, periodSeconds: 1 } };
const versionOf = (pod: { spec: { containers: { env?: { value?: string }[] }[] } }) =>
  pod.spec.containers[0]?.env?.[0]?.value;

facts("DaemonSet", () => {
  const nodesOf = async (t: Trial) =>
    (await t.client.list({ apiVersion: "v1", kind: "Node" })).items.map(({ metadata }) => metadata.name).sort(byText);
  const setOf = (t: Trial) => t.get<DaemonSet>("apps/v1", "DaemonSet", "agent");

  fact("a daemon set runs on every node that it may, and its pods stay where a node is ill", async (t) => {
    await t.create(workload("DaemonSet", "agent", 0));
    const nodes = await nodesOf(t);
    const pods = await allReady(t, "agent", nodes.length);
    assert.deepEqual(pods.map(({ spec }) => spec?.nodeName).sort(byText), nodes);
    const tolerated = pods[0]?.spec?.tolerations?.map(({ key, effect }) => `${key}:${effect}`);
    for (const taint of [
      "not-ready:NoExecute",
      "unreachable:NoExecute",
      "disk-pressure:NoSchedule",
      "memory-pressure:NoSchedule",
      "pid-pressure:NoSchedule",
      "unschedulable:NoSchedule",
    ])
      assert.ok(tolerated?.includes(`node.kubernetes.io/${taint}`), `${taint} of ${tolerated?.join()}`);
    await eventually(async () => {
      const { status } = await setOf(t);
      const count = nodes.length;
      return (
        status?.desiredNumberScheduled === count &&
        status.currentNumberScheduled === count &&
        status.numberReady === count &&
        status.numberAvailable === count &&
        status.numberMisscheduled === 0
      );
    });
  });

  fact("a node selector and labels decide where a daemon set runs, also afterwards", async (t) => {
    const [node = ""] = await nodesOf(t);
    const key = `conformance/${t.namespace}`;
    await t.create(workload("DaemonSet", "agent", 0, { pod: { nodeSelector: { [key]: "yes" } } }));
    await eventually(async () => (await setOf(t)).status?.observedGeneration === 1);
    assert.deepEqual(await podsOf(t, "agent"), []);
    await t.kubectl.run`label node ${node} ${key}=yes`;
    try {
      const [pod] = await allReady(t, "agent", 1);
      assert.equal(pod?.spec?.nodeName, node);
    } finally {
      await t.kubectl.run`label node ${node} ${key}-`;
    }
    await eventually(async () => (await podsOf(t, "agent")).length === 0, 40_000);
  });

  fact(
    "a rolling update with maxUnavailable ends an old pod before its successor starts, with maxSurge after",
    async (t) => {
      const nodes = (await nodesOf(t)).length;
      for (const rollingUpdate of [{ maxUnavailable: 1 }, { maxSurge: 1, maxUnavailable: 0 }]) {
        const surge = "maxSurge" in rollingUpdate;
        await t.create(
          workload("DaemonSet", "agent", 0, {
            container: slow,
            spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate } },
          }),
        );
        await allReady(t, "agent", nodes);
        const stop = observe(t, async () => (await podsOf(t, "agent")).filter(isReady).length);
        await changeTemplate(t, "DaemonSet", "agent", "2");
        await eventually(async () => {
          const { status, metadata } = await setOf(t);
          return (
            status?.observedGeneration === metadata.generation &&
            status?.updatedNumberScheduled === nodes &&
            status.numberAvailable === nodes
          );
        }, 60_000);
        const least = Math.min(...(await stop()));
        assert.ok(
          surge ? least >= nodes : least >= nodes - 1,
          `${least} of ${nodes}, ${JSON.stringify(rollingUpdate)}`,
        );
        await t.kubectl.run`delete daemonset agent`;
        await eventually(async () => (await t.list("v1", "Pod")).length === 0, 40_000);
      }
    },
  );

  fact("OnDelete replaces a daemon's pod only when somebody deletes it", async (t) => {
    const nodes = (await nodesOf(t)).length;
    await t.create(workload("DaemonSet", "agent", 0, { spec: { updateStrategy: { type: "OnDelete" } } }));
    const [before] = await allReady(t, "agent", nodes);
    await changeTemplate(t, "DaemonSet", "agent", "2");
    await eventually(async () => (await setOf(t)).status?.observedGeneration === 2);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.ok((await podsOf(t, "agent")).every((pod) => versionOf(pod) === undefined));
    await t.kubectl.run`delete pod ${before?.metadata.name}`;
    await eventually(
      async () => (await podsOf(t, "agent")).filter((pod) => versionOf(pod) === "2").length === 1,
      40_000,
    );
  });
});
