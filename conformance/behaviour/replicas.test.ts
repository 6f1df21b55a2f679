import assert from "node:assert/strict";
import type { PersistentVolumeClaim, StatefulSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, idle, isReady, refusal, shell, type Trial } from "../fact.ts";
import { allReady, changeTemplate, observe, podsOf, workload } from "./workload.ts";

const never = { readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } };
const slow = { readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 1, periodSeconds: 1 } };
const versionOf = (pod: { spec: { containers: { env?: { value?: string }[] }[] } }) =>
  pod.spec.containers[0]?.env?.[0]?.value;

facts("more of StatefulSet", () => {
  const setOf = (t: Trial) => t.get<StatefulSet>("apps/v1", "StatefulSet", "db");
  const claims = async (t: Trial) =>
    (await t.list<PersistentVolumeClaim>("v1", "PersistentVolumeClaim"))
      .map(({ metadata }) => metadata.name)
      .sort(byText);
  const volumeClaimTemplates = [
    {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
  ];

  fact("a pod that does not become ready keeps the next from being started", async (t) => {
    await t.create(workload("StatefulSet", "db", 3, { container: never }));
    await eventually(async () => (await podsOf(t, "db"))[0]?.status?.phase === "Running");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.deepEqual(
      (await podsOf(t, "db")).map(({ metadata }) => metadata.name),
      ["db-0"],
    );
  });

  fact("pods carry their ordinal and the revision that they are of", async (t) => {
    await t.create(workload("StatefulSet", "db", 2, { spec: { ordinals: { start: 5 } } }));
    const pods = (await allReady(t, "db", 2)).sort((a, b) => byText(a.metadata.name, b.metadata.name));
    assert.deepEqual(
      pods.map(({ metadata }) => [
        metadata.name,
        metadata.labels?.["apps.kubernetes.io/pod-index"],
        metadata.labels?.["statefulset.kubernetes.io/pod-name"],
      ]),
      [
        ["db-5", "5", "db-5"],
        ["db-6", "6", "db-6"],
      ],
    );
    const { status } = await setOf(t);
    assert.ok(pods.every(({ metadata }) => metadata.labels?.["controller-revision-hash"] === status?.currentRevision));
    assert.equal(await t.kubectl.run`exec db-5 -- hostname`, "db-5\n");
  });

  fact("claims are kept or deleted with their pods, as the retention policy says", async (t) => {
    const policy = { whenScaled: "Delete", whenDeleted: "Retain" };
    await t.create(
      workload("StatefulSet", "db", 2, {
        spec: { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy },
      }),
    );
    await allReady(t, "db", 2);
    assert.deepEqual(await claims(t), ["data-db-0", "data-db-1"]);
    await t.kubectl.run`scale statefulset db --replicas=1`;
    await eventually(async () => (await claims(t)).join() === "data-db-0", 60_000);
    await t.kubectl.run`delete statefulset db`;
    await eventually(async () => (await t.list("v1", "Pod")).length === 0, 40_000);
    assert.deepEqual(await claims(t), ["data-db-0"]);
  });

  fact("with whenDeleted: Delete the claims go with the set", async (t) => {
    const policy = { whenScaled: "Retain", whenDeleted: "Delete" };
    await t.create(
      workload("StatefulSet", "db", 1, {
        spec: { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy },
      }),
    );
    await allReady(t, "db", 1);
    await t.kubectl.run`delete statefulset db`;
    await eventually(async () => (await claims(t)).length === 0, 60_000);
  });

  fact("with podManagementPolicy Parallel scaling down takes all at once", async (t) => {
    await t.create(workload("StatefulSet", "db", 3, { spec: { podManagementPolicy: "Parallel" } }));
    await allReady(t, "db", 3);
    await t.kubectl.run`scale statefulset db --replicas=0`;
    await eventually(async () => (await podsOf(t, "db")).length === 0, 40_000);
  });

  fact("what identifies a stateful set's pods is not changed", async (t) => {
    await t.create(workload("StatefulSet", "db", 0));
    const ref = { apiVersion: "apps/v1", kind: "StatefulSet", namespace: t.namespace, name: "db" };
    for (const spec of [{ serviceName: "other" }, { podManagementPolicy: "Parallel" }, { volumeClaimTemplates }]) {
      assert.match(
        (await refusal(t.client.patch(ref, "merge", { spec }))).message,
        /^StatefulSet\.apps "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than /,
      );
    }
  });

  fact("a broken update stops at the pod that does not become ready, and the others stay", async (t) => {
    await t.create(workload("StatefulSet", "db", 3));
    const before = new Map((await allReady(t, "db", 3)).map(({ metadata }) => [metadata.name, metadata.uid]));
    await t.client.patch(
      { apiVersion: "apps/v1", kind: "StatefulSet", namespace: t.namespace, name: "db" },
      "strategic",
      {
        spec: { template: { spec: { containers: [{ name: "main", ...never }] } } },
      },
    );
    await eventually(async () => (await setOf(t)).status?.updatedReplicas === 1, 40_000);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const same = (await podsOf(t, "db"))
      .filter(({ metadata }) => before.get(metadata.name) === metadata.uid)
      .map(({ metadata }) => metadata.name);
    assert.deepEqual(same.sort(byText), ["db-0", "db-1"]);
    const { status } = await setOf(t);
    assert.notEqual(status?.currentRevision, status?.updateRevision);
  });
});

facts("more of Deployment", () => {
  const ref = (t: Trial) => ({ apiVersion: "apps/v1", kind: "Deployment", namespace: t.namespace, name: "web" });
  const setsOf = (t: Trial) => t.list("apps/v1", "ReplicaSet", "app=web");

  fact("a paused deployment scales, but makes no new replica set", async (t) => {
    await t.create(workload("Deployment", "web", 1, { spec: { paused: true } }));
    await eventually(async () => (await t.get("apps/v1", "Deployment", "web"))["status"] !== undefined);
    await t.client.patch(ref(t), "merge", { spec: { paused: false } });
    await allReady(t, "web", 1);
    await t.client.patch(ref(t), "merge", { spec: { paused: true } });
    await changeTemplate(t, "Deployment", "web", "2");
    await t.client.patch(ref(t), "merge", { spec: { replicas: 2 } });
    const pods = await allReady(t, "web", 2);
    assert.ok(pods.every((pod) => versionOf(pod) === undefined));
    assert.equal((await setsOf(t)).length, 1);
  });

  fact("pods, replica sets and deployments are tied by owner and template hash", async (t) => {
    await t.create(workload("Deployment", "web", 1));
    const [pod] = await allReady(t, "web", 1);
    const [set] = await setsOf(t);
    const hash = set?.metadata.labels?.["pod-template-hash"];
    assert.equal(set?.metadata.name, `web-${hash}`);
    assert.equal(pod?.metadata.labels?.["pod-template-hash"], hash);
    assert.match(pod?.metadata.name ?? "", new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
    assert.deepEqual(
      [pod?.metadata.ownerReferences?.[0]?.uid, set?.metadata.ownerReferences?.[0]?.kind],
      [set?.metadata.uid, "Deployment"],
    );
  });

  fact("a pod that the selector fits and nobody owns is adopted, and one that no longer fits is let go", async (t) => {
    await t.create(workload("ReplicaSet", "web", 2), {
      ...workload("x", "y", 0),
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "stray", labels: { app: "web" } },
      spec: { terminationGracePeriodSeconds: 1, containers: [shell(idle)] },
    });
    await allReady(t, "web", 2);
    const owned = async () =>
      (await podsOf(t, "web"))
        .filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === "web")
        .map(({ metadata }) => metadata.name);
    await eventually(async () => (await owned()).length === 2);
    const [freed = ""] = await owned();
    await t.kubectl.run`label pod ${freed} --overwrite app=other`;
    await eventually(async () => (await owned()).length === 2 && !(await owned()).includes(freed));
    assert.equal((await t.pod(freed)).metadata.ownerReferences, undefined);
  });

  fact("a deployment's selector is its own for good, and has to fit its template", async (t) => {
    await t.create(workload("Deployment", "web", 0));
    assert.match(
      (
        await refusal(
          t.client.patch(ref(t), "merge", {
            spec: { selector: { matchLabels: { app: "other" } }, template: { metadata: { labels: { app: "other" } } } },
          }),
        )
      ).message,
      /spec\.selector: Invalid value: .*: field is immutable$/,
    );
    assert.match(
      (
        await refusal(
          t.client.patch(ref(t), "merge", { spec: { template: { metadata: { labels: { app: "other" } } } } }),
        )
      ).message,
      /spec\.template\.metadata\.labels: Invalid value: .*: `selector` does not match template `labels`$/,
    );
  });

  fact("maxSurge and maxUnavailable may not both be zero, and have no meaning for Recreate", async (t) => {
    const strategy = (more: object) => ({
      spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 0 }, ...more } },
    });
    assert.match(
      (await refusal(t.create(workload("Deployment", "web", 1, strategy({}))))).message,
      /spec\.strategy\.rollingUpdate\.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0$/,
    );
    assert.match(
      (await refusal(t.create(workload("Deployment", "web", 1, strategy({ type: "Recreate" }))))).message,
      /spec\.strategy\.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'$/,
    );
  });

  fact("percentages of a strategy are rounded: surge up, unavailable down", async (t) => {
    await t.create(workload("Deployment", "web", 3, { container: slow }));
    await allReady(t, "web", 3);
    const stop = observe(t, async () => (await podsOf(t, "web")).length);
    await changeTemplate(t, "Deployment", "web", "2");
    await eventually(async () => {
      const pods = await podsOf(t, "web");
      return pods.length === 3 && pods.every((pod) => isReady(pod) && versionOf(pod) === "2");
    }, 60_000);
    // A quarter of three: one more, and none less.
    assert.ok(Math.max(...(await stop())) <= 4);
  });
});
