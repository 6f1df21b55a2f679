import assert from "node:assert/strict";
import type { ReplicaSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { idle, kubectlFacts, shell, shellPod, type Trial } from "../fact.ts";

const deaf = "trap '' TERM; echo up; while :; do sleep 1; done";

async function twoPods(t: Trial): Promise<void> {
  await t.create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { terminationGracePeriodSeconds: 1, containers: [shell(idle)] },
      },
    },
  });
  await t.kubectl.run`rollout status deployment web --timeout=60s`;
}

kubectlFacts("delete", (fact) => {
  fact("waits until the object is gone, and says so", async (t) => {
    await t.create(shellPod("one", idle));
    await t.ready("one");
    assert.match(await t.kubectl.run`delete pod one`, /^pod "one" deleted( from \S+ namespace)?\n$/);
    assert.match(await t.kubectl.refused`get pod one`, /NotFound/);
  });

  fact("by label, by file and all of a kind", async (t) => {
    for (const name of ["a", "b", "c", "d"]) await t.kubectl.run`create secret generic ${name}`;
    await t.kubectl.run`label secret a b pick=me`;
    await t.kubectl.run`delete secret -l pick=me`;
    assert.equal(await t.kubectl.run`get secrets -o name`, "secret/c\nsecret/d\n");
    await t.kubectl.fed({ apiVersion: "v1", kind: "Secret", metadata: { name: "c" } }).run`delete -f -`;
    assert.equal(await t.kubectl.run`get secrets -o name`, "secret/d\n");
    await t.kubectl.run`delete secrets --all`;
    assert.equal(await t.kubectl.run`get secrets -o name`, "");
  });

  fact("--cascade=background removes what is owned after its owner", async (t) => {
    await twoPods(t);
    await t.kubectl.run`delete deployment web`;
    await eventually(async () => (await t.list("v1", "Pod")).length === 0);
    assert.deepEqual(await t.list("apps/v1", "ReplicaSet"), []);
  });

  fact("--cascade=foreground removes the owner last", async (t) => {
    await twoPods(t);
    await t.kubectl.run`delete deployment web --cascade=foreground`;
    assert.deepEqual(await t.list("v1", "Pod"), []);
    assert.deepEqual(await t.list("apps/v1", "ReplicaSet"), []);
  });

  fact("--cascade=orphan leaves what was owned, without its owner", async (t) => {
    await twoPods(t);
    await t.kubectl.run`delete deployment web --cascade=orphan`;
    const [set] = await eventually(async () => {
      const sets = await t.list<ReplicaSet>("apps/v1", "ReplicaSet");
      return sets.every(({ metadata }) => !metadata.ownerReferences) ? sets : undefined;
    });
    assert.equal(set?.spec?.replicas, 2);
    assert.equal((await t.list("v1", "Pod")).length, 2);
  });

  fact("a pod that does not hear SIGTERM is killed after --grace-period", async (t) => {
    await t.create(shellPod("deaf", deaf, { spec: { terminationGracePeriodSeconds: 600 } }));
    await t.ready("deaf");
    await t.kubectl.run`delete pod deaf --grace-period=1`;
    assert.match(await t.kubectl.refused`get pod deaf`, /NotFound/);
  });

  fact("--now is a grace period of one second", async (t) => {
    await t.create(shellPod("deaf", deaf, { spec: { terminationGracePeriodSeconds: 600 } }));
    await t.ready("deaf");
    await t.kubectl.run`delete pod deaf --now`;
    assert.match(await t.kubectl.refused`get pod deaf`, /NotFound/);
  });

  fact("--force --grace-period=0 removes the object at once, with a warning", async (t) => {
    await t.create(shellPod("deaf", deaf, { spec: { terminationGracePeriodSeconds: 600 } }));
    await t.ready("deaf");
    const { stdout, stderr } = await t.kubectl.answer`delete pod deaf --force --grace-period=0`;
    assert.match(stdout, /^pod "deaf" force deleted/);
    assert.match(stderr, /Immediate deletion does not wait for confirmation/);
  });

  fact("--wait=false returns while the pod is Terminating", async (t) => {
    const untilTold = "trap '' TERM; until [ -e /tmp/told ]; do sleep 0.1; done";
    await t.create(shellPod("deaf", untilTold, { spec: { terminationGracePeriodSeconds: 600 } }));
    await t.ready("deaf");
    await t.kubectl.run`delete pod deaf --wait=false`;
    assert.match(await t.kubectl.run`get pod deaf`, /deaf +1\/1 +Terminating/);
    await t.kubectl.run`exec deaf -- touch /tmp/told`;
    await t.kubectl.run`wait --for=delete pod/deaf --timeout=60s`;
  });

  fact("a finalizer holds an object until it is taken off", async (t) => {
    await t.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "held", finalizers: ["example.org/hold"] },
    });
    await t.kubectl.run`delete cm held --wait=false`;
    assert.notEqual(await t.kubectl.run`get cm held -o jsonpath={.metadata.deletionTimestamp}`, "");
    await t.kubectl.run`patch cm held --type=json -p ${'[{"op":"remove","path":"/metadata/finalizers"}]'}`;
    assert.match(await t.kubectl.refused`get cm held`, /NotFound/);
  });

  fact("--dry-run=server deletes nothing", async (t) => {
    await t.kubectl.run`create configmap one`;
    assert.match(
      await t.kubectl.run`delete cm one --dry-run=server`,
      /^configmap "one" deleted .*\(server dry run\)\n$/,
    );
    assert.equal(await t.kubectl.run`get cm one -o name`, "configmap/one\n");
  });

  fact("what is not there is refused, unless --ignore-not-found", async (t) => {
    assert.equal(await t.kubectl.refused`delete cm none`, 'Error from server (NotFound): configmaps "none" not found');
    assert.equal(await t.kubectl.run`delete cm none --ignore-not-found`, "");
  });
});
