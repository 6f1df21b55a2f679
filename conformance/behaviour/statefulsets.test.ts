import assert from "node:assert/strict";
import type { StatefulSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, isReady, shell } from "../fact.ts";
import { allReady, changeTemplate, observe, podsOf, workload } from "./workload.ts";

const slow = { readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 1, periodSeconds: 1 } };
const never = { readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } };

facts("StatefulSet", () => {
  fact("pods start in order, each when the one before is ready, and end in reverse", async (t) => {
    await t.create(workload("StatefulSet", "db", 3, { container: slow }));
    const stop = observe(t, async () =>
      (await podsOf(t, "db")).map((pod) => [pod.metadata.name, isReady(pod)] as const),
    );
    await allReady(t, "db", 3);
    for (const seen of await stop()) {
      const ready = new Map(seen);
      if (ready.has("db-1")) assert.ok(ready.get("db-0"));
      if (ready.has("db-2")) assert.ok(ready.get("db-1"));
    }
    const stopDown = observe(t, async () => (await podsOf(t, "db")).map(({ metadata }) => metadata.name));
    await t.kubectl.run`scale statefulset db --replicas=1`;
    await eventually(async () => (await t.list("v1", "Pod", "app=db")).length === 1);
    for (const seen of await stopDown()) assert.ok(!seen.includes("db-2") || seen.includes("db-1"), seen.join());
  });

  fact("an update goes from the highest ordinal down, and stops at the partition", async (t) => {
    await t.create(
      workload("StatefulSet", "db", 3, {
        spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } },
      }),
    );
    await allReady(t, "db", 3);
    const before = new Map((await podsOf(t, "db")).map(({ metadata }) => [metadata.name, metadata.uid]));
    const stop = observe(t, async () =>
      (await podsOf(t, "db"))
        .filter(({ metadata }) => before.get(metadata.name) !== metadata.uid)
        .map(({ metadata }) => metadata.name),
    );
    await changeTemplate(t, "StatefulSet", "db", "2");
    await eventually(async () => {
      const { status } = await t.get<StatefulSet>("apps/v1", "StatefulSet", "db");
      return status?.updatedReplicas === 2 && status.readyReplicas === 3;
    }, 60_000);
    const seen = await stop();
    assert.ok(seen.every((names) => !names.includes("db-1") || names.includes("db-2")));
    assert.ok(seen.every((names) => !names.includes("db-0")));
  });

  fact("OnDelete replaces a pod only when somebody deletes it", async (t) => {
    await t.create(workload("StatefulSet", "db", 1, { spec: { updateStrategy: { type: "OnDelete" } } }));
    const [before] = await allReady(t, "db", 1);
    await changeTemplate(t, "StatefulSet", "db", "2");
    await eventually(
      async () => (await t.get<StatefulSet>("apps/v1", "StatefulSet", "db")).status?.observedGeneration === 2,
    );
    assert.equal((await podsOf(t, "db"))[0]?.metadata.uid, before?.metadata.uid);
    await t.kubectl.run`delete pod db-0`;
    const [after] = await allReady(t, "db", 1);
    assert.equal(after?.spec?.containers[0]?.env?.[0]?.value, "2");
  });

  fact("each pod keeps its own claim and its data, whatever happens to the pod", async (t) => {
    const claim = {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const script = `[ -e /data/who ] || hostname > /data/who; cat /data/who; ${idle}`;
    await t.create(
      workload("StatefulSet", "db", 2, {
        container: { ...shell(script), volumeMounts: [{ name: "data", mountPath: "/data" }] },
        spec: { volumeClaimTemplates: [claim] },
      }),
    );
    await allReady(t, "db", 2);
    assert.equal(
      await t.kubectl.run`get pvc -o name`,
      "persistentvolumeclaim/data-db-0\npersistentvolumeclaim/data-db-1\n",
    );
    await t.kubectl.run`delete pod db-1`;
    await allReady(t, "db", 2);
    assert.equal(await t.kubectl.run`logs db-1`, "db-1\n");
    await t.kubectl.run`delete statefulset db`;
    assert.match(await t.kubectl.run`get pvc --no-headers`, /^data-db-0 +Bound[\s\S]*^data-db-1 +Bound/m);
  });

  fact("podManagementPolicy Parallel starts them all at once", async (t) => {
    await t.create(workload("StatefulSet", "db", 3, { container: never, spec: { podManagementPolicy: "Parallel" } }));
    await eventually(async () => (await podsOf(t, "db")).length === 3);
  });
});
