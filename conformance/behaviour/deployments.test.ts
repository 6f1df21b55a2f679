import assert from "node:assert/strict";
import type { Deployment, Pod, ReplicaSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, isReady, type Trial } from "../fact.ts";
import { allReady, changeTemplate, condition, observe, podsOf, workload } from "./workload.ts";

const deployment = (t: Trial) => t.get<Deployment>("apps/v1", "Deployment", "web");
const slow = { readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 1, periodSeconds: 1 } };
const never = { readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } };

async function rolledOut(t: Trial): Promise<void> {
  await eventually(async () => {
    const { metadata, spec, status } = await deployment(t);
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec?.replicas &&
      status?.replicas === spec?.replicas &&
      status?.availableReplicas === spec?.replicas
    );
  }, 60_000);
}

facts("Deployment", () => {
  for (const [maxSurge, maxUnavailable, most, least] of [
    [1, 0, 4, 3],
    [0, 1, 3, 2],
    ["50%", "50%", 5, 2],
  ] as const) {
    fact(
      `a rolling update with maxSurge ${maxSurge} and maxUnavailable ${maxUnavailable} keeps within both`,
      async (t) => {
        await t.create(
          workload("Deployment", "web", 3, {
            container: slow,
            spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } },
          }),
        );
        await rolledOut(t);
        const stop = observe(t, () => podsOf(t, "web"));
        await changeTemplate(t, "Deployment", "web", "2");
        await rolledOut(t);
        for (const pods of await stop()) {
          assert.ok(pods.length <= most, `${pods.length} pods`);
          assert.ok(pods.filter(isReady).length >= least, `${pods.filter(isReady).length} ready`);
        }
      },
    );
  }

  fact("Recreate ends every old pod before the first new one starts", async (t) => {
    await t.create(workload("Deployment", "web", 2, { spec: { strategy: { type: "Recreate" } } }));
    await rolledOut(t);
    const old = new Set((await podsOf(t, "web")).map(({ metadata }) => metadata.uid));
    const stop = observe(t, async () => {
      const pods = await t.list<Pod>("v1", "Pod", "app=web");
      return pods
        .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed")
        .map(({ metadata }) => old.has(metadata.uid));
    });
    await changeTemplate(t, "Deployment", "web", "2");
    await rolledOut(t);
    for (const ofOld of await stop()) assert.ok(new Set(ofOld).size <= 1, "old and new at once");
  });

  fact("a version that never becomes ready leaves the old pods serving, and is undone", async (t) => {
    await t.create(
      workload("Deployment", "web", 2, {
        spec: {
          progressDeadlineSeconds: 3,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        },
      }),
    );
    await rolledOut(t);
    const good = new Set((await podsOf(t, "web")).map(({ metadata }) => metadata.name));
    await t.client.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: t.namespace, name: "web" },
      "strategic",
      { spec: { template: { spec: { containers: [{ name: "main", ...never }] } } } },
    );
    const failed = await eventually(async () => {
      const found = condition(await deployment(t), "Progressing");
      return found?.reason === "ProgressDeadlineExceeded" ? found : undefined;
    });
    assert.match(failed.message ?? "", /^ReplicaSet "web-\S+" has timed out progressing\.$/);
    const pods = await podsOf(t, "web");
    assert.deepEqual(new Set(pods.filter(isReady).map(({ metadata }) => metadata.name)), good);
    assert.equal(condition(await deployment(t), "Available")?.status, "True");
    await t.kubectl.run`rollout undo deployment/web`;
    await rolledOut(t);
    assert.deepEqual(new Set((await podsOf(t, "web")).map(({ metadata }) => metadata.name)), good);
  });

  fact("revisionHistoryLimit keeps so many old replica sets", async (t) => {
    await t.create(workload("Deployment", "web", 1, { spec: { revisionHistoryLimit: 1 } }));
    for (const version of ["2", "3", "4"]) {
      await rolledOut(t);
      await changeTemplate(t, "Deployment", "web", version);
    }
    await rolledOut(t);
    const sets = await eventually(async () => {
      const found = await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web");
      return found.length === 2 ? found : undefined;
    });
    assert.deepEqual(
      sets.map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]).sort(byText),
      ["3", "4"],
    );
  });

  fact("going back to an earlier template uses its replica set again, as a new revision", async (t) => {
    await t.create(workload("Deployment", "web", 1, { container: { env: [{ name: "VERSION", value: "1" }] } }));
    await rolledOut(t);
    const [first] = await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web");
    await changeTemplate(t, "Deployment", "web", "2");
    await rolledOut(t);
    await changeTemplate(t, "Deployment", "web", "1");
    await rolledOut(t);
    const sets = await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web");
    const again = sets.find(({ metadata }) => metadata.uid === first?.metadata.uid);
    assert.deepEqual(
      [sets.length, again?.spec?.replicas, again?.metadata.annotations?.["deployment.kubernetes.io/revision"]],
      [2, 1, "3"],
    );
  });

  fact("a deleted pod is replaced at once", async (t) => {
    await t.create(workload("Deployment", "web", 2));
    const [pod] = await allReady(t, "web", 2);
    await t.kubectl.run`delete pod ${pod?.metadata.name} --wait=false`;
    const after = await allReady(t, "web", 2);
    assert.ok(after.every(({ metadata }) => metadata.uid !== pod?.metadata.uid));
  });

  fact("minReadySeconds holds availability back", async (t) => {
    await t.create(
      workload("Deployment", "web", 1, { spec: { minReadySeconds: 3600, progressDeadlineSeconds: 3601 } }),
    );
    await eventually(async () => (await deployment(t)).status?.readyReplicas === 1, 60_000);
    assert.equal((await deployment(t)).status?.availableReplicas ?? 0, 0);
    const web = { apiVersion: "apps/v1", kind: "Deployment", namespace: t.namespace, name: "web" };
    await t.client.patch(web, "merge", { spec: { minReadySeconds: 1 } });
    await eventually(async () => (await deployment(t)).status?.availableReplicas === 1, 60_000);
  });

  fact("scaling during a rollout is shared among the replica sets in proportion", async (t) => {
    await t.create(
      workload("Deployment", "web", 4, {
        spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } } },
      }),
    );
    await rolledOut(t);
    await t.client.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: t.namespace, name: "web" },
      "strategic",
      { spec: { template: { spec: { containers: [{ name: "main", ...never }] } } } },
    );
    await eventually(async () => (await podsOf(t, "web")).length === 6);
    await t.kubectl.run`scale deployment web --replicas=7`;
    const sizes = await eventually(async () => {
      const found = (await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web"))
        .map(({ spec }) => spec?.replicas ?? 0)
        .sort((a, b) => a - b);
      return found.reduce((total, size) => total + size, 0) === 9 ? found : undefined;
    });
    assert.deepEqual(sizes, [3, 6]);
  });
});
