import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  CronJob,
  DaemonSet,
  HorizontalPodAutoscaler,
  Job,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ResourceQuota,
  StatefulSet,
} from "@dhow/kube";
import { temporaryFolder } from "@dhow/testkit";
import { deployment, holds, registerNode, sorted, startWorld, template } from "./world.ts";

const storageClass = (volumeBindingMode: string, reclaimPolicy = "Delete") => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "standard" },
  provisioner: "dhow.dev/local",
  volumeBindingMode,
  reclaimPolicy,
});
const claimSpec = {
  storageClassName: "standard",
  accessModes: ["ReadWriteOnce"],
  resources: { requests: { storage: "1Gi" } },
};

test("a StatefulSet starts in order, keeps its claims, rolls from the end, and stops at its partition", async () => {
  using folder = temporaryFolder();
  await using world = await startWorld({ volumeFolder: folder.path });
  await world.client.create(storageClass("WaitForFirstConsumer"));
  const spec = {
    serviceName: "db",
    replicas: 3,
    ...template("db"),
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec }],
  };
  await world.apply({ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db" }, spec });
  await holds(async () => {
    const { status } = await world.get<StatefulSet>("apps/v1", "StatefulSet", "db");
    assert.equal(status?.readyReplicas, 3);
    const claims = await world.list<PersistentVolumeClaim>("v1", "PersistentVolumeClaim");
    assert.deepEqual(claims.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`).sort(), [
      "data-db-0 Bound",
      "data-db-1 Bound",
      "data-db-2 Bound",
    ]);
  });
  const created = (await world.events("db")).filter((text) => /create Pod/.test(text));
  assert.deepEqual(
    created,
    [0, 1, 2].map((i) => `SuccessfulCreate: create Pod db-${i} in StatefulSet db successful`),
  );
  assert.equal((await world.list("apps/v1", "ControllerRevision")).length, 1);

  const ref = { apiVersion: "apps/v1", kind: "StatefulSet", namespace: "t", name: "db" };
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 1 } };
  await world.client.patch(ref, "strategic", {
    spec: { updateStrategy, template: { spec: { containers: [{ name: "c", image: "x:2" }] } } },
  });
  const images = async () =>
    Object.fromEntries((await world.pods()).map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image]));
  await holds(async () => {
    assert.deepEqual(await images(), { "db-0": "x:1", "db-1": "x:2", "db-2": "x:2" });
    assert.equal((await world.get<StatefulSet>("apps/v1", "StatefulSet", "db")).status?.readyReplicas, 3);
  });
  await world.client.patch(ref, "merge", { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
  await holds(async () => {
    const { status } = await world.get<StatefulSet>("apps/v1", "StatefulSet", "db");
    assert.equal((await images())["db-0"], "x:2");
    assert.equal(status?.currentRevision, status?.updateRevision);
  });
  await world.client.patch(ref, "merge", {
    spec: { replicas: 1, persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Retain" } },
  });
  await holds(async () => {
    assert.deepEqual(Object.keys(await images()), ["db-0"]);
    const claims = await world.list("v1", "PersistentVolumeClaim");
    assert.deepEqual(
      claims.map(({ metadata }) => metadata.name),
      ["data-db-0"],
    );
  });
});

test("a claim is provisioned, is protected while a pod has it, and its volume goes with it", async () => {
  using folder = temporaryFolder();
  await using world = await startWorld({ volumeFolder: folder.path });
  await world.client.create(storageClass("Immediate"));
  await world.apply({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data" }, spec: claimSpec });
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
  await world.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: { containers: [{ name: "c", image: "x" }], volumes },
  });
  await holds(async () => {
    assert.equal((await world.get<Pod>("v1", "Pod", "p")).status?.phase, "Running");
    assert.equal(
      (await world.get<PersistentVolumeClaim>("v1", "PersistentVolumeClaim", "data")).status?.phase,
      "Bound",
    );
  });
  const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "t", name: "data" };
  await world.client.delete(claim);
  assert.ok((await world.client.find(claim))?.metadata.deletionTimestamp, "held by the pod");
  await world.client.delete({ apiVersion: "v1", kind: "Pod", namespace: "t", name: "p" });
  await holds(async () => {
    assert.equal(await world.client.find(claim), undefined);
    assert.deepEqual(
      (await world.client.list<PersistentVolume>({ apiVersion: "v1", kind: "PersistentVolume" })).items,
      [],
    );
  });
});

test("an ephemeral volume's claim comes and goes with its pod", async () => {
  using folder = temporaryFolder();
  await using world = await startWorld({ volumeFolder: folder.path });
  await world.client.create(storageClass("WaitForFirstConsumer"));
  const volumes = [{ name: "scratch", ephemeral: { volumeClaimTemplate: { spec: claimSpec } } }];
  const spec = { containers: [{ name: "c", image: "x" }], volumes };
  await world.apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec });
  await holds(async () => {
    assert.equal((await world.get<Pod>("v1", "Pod", "p")).status?.phase, "Running");
    const claim = await world.get<PersistentVolumeClaim>("v1", "PersistentVolumeClaim", "p-scratch");
    assert.equal(claim.status?.phase, "Bound");
  });
  await world.client.delete({ apiVersion: "v1", kind: "Pod", namespace: "t", name: "p" });
  await holds(async () => assert.deepEqual(await world.list("v1", "PersistentVolumeClaim"), []));
});

test("a volume made by hand is bound to the claim that fits, and is released, not deleted", async () => {
  await using world = await startWorld();
  const volume = (name: string, storage: string) => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: `/data/${name}` },
      storageClassName: "manual",
      persistentVolumeReclaimPolicy: "Retain",
    },
  });
  await world.client.create(volume("large", "10Gi"));
  await world.client.create(volume("small", "2Gi"));
  await world.apply({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data" },
    spec: { ...claimSpec, storageClassName: "manual" },
  });
  const phase = async (name: string) =>
    (await world.client.get<PersistentVolume>({ apiVersion: "v1", kind: "PersistentVolume", name })).status?.phase;
  await holds(async () => {
    const claim = await world.get<PersistentVolumeClaim>("v1", "PersistentVolumeClaim", "data");
    assert.equal(claim.spec?.volumeName, "small");
    assert.equal(claim.status?.capacity?.["storage"], "2Gi");
    assert.equal(await phase("large"), "Available");
  });
  await world.client.delete({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "t", name: "data" });
  await holds(async () => assert.equal(await phase("small"), "Released"));
});

const job = (name: string, outcome: string, spec: object = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: {
    template: {
      metadata: { labels: { outcome } },
      spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x" }] },
    },
    ...spec,
  },
});
const byLabel = (pod: Pod) => (pod.metadata.labels?.["outcome"] ?? "ready") as "ready";

test("Jobs complete, fail by back-off or deadline, count indexes, wait while suspended, and go when their time is over", async () => {
  await using world = await startWorld({ outcome: byLabel });
  await world.apply(
    job("five", "succeeded", { completions: 5, parallelism: 2 }),
    job("indexed", "succeeded", { completions: 3, parallelism: 3, completionMode: "Indexed" }),
    job("broken", "failed", { backoffLimit: 0 }),
    job("slow", "ready", { activeDeadlineSeconds: 1 }),
    job("later", "succeeded", { suspend: true }),
    job("brief", "succeeded", { ttlSecondsAfterFinished: 0 }),
  );
  const status = async (name: string) => (await world.get<Job>("batch/v1", "Job", name)).status;
  const condition = async (name: string, type: string) =>
    (await status(name))?.conditions?.find((found) => found.type === type);
  await holds(async () => {
    assert.equal((await condition("five", "Complete"))?.status, "True");
    assert.equal((await condition("five", "SuccessCriteriaMet"))?.status, "True");
    assert.equal((await status("five"))?.succeeded, 5);
    assert.equal((await status("indexed"))?.completedIndexes, "0-2");
    assert.equal((await condition("broken", "Failed"))?.reason, "BackoffLimitExceeded");
    assert.equal((await status("broken"))?.failed, 1);
    assert.equal((await condition("slow", "Failed"))?.reason, "DeadlineExceeded");
    assert.equal((await condition("later", "Suspended"))?.status, "True");
    await assert.rejects(world.get("batch/v1", "Job", "brief"), /not found/);
  });
  assert.equal((await world.pods({ "job-name": "later" })).length, 0);
  await world.client.patch({ apiVersion: "batch/v1", kind: "Job", namespace: "t", name: "later" }, "merge", {
    spec: { suspend: false },
  });
  await holds(async () => {
    assert.equal((await condition("later", "Complete"))?.status, "True");
    const held = (await world.pods()).filter(({ metadata }) => metadata.finalizers);
    assert.deepEqual(
      held.map(({ metadata }) => metadata.name),
      [],
      "no pod is held by the tracking finalizer",
    );
  });
});

test("a CronJob that missed its time starts one Job for it", async () => {
  await using world = await startWorld({ outcome: byLabel });
  const { spec } = job("", "succeeded");
  await world.apply({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "tick" },
    spec: { schedule: "* * * * *", jobTemplate: { spec } },
  });
  const ref = { apiVersion: "batch/v1", kind: "CronJob", namespace: "t", name: "tick" };
  const now = new Date(Date.now() - 120_000).toISOString();
  await world.client.patch(
    ref,
    "merge",
    { status: { lastScheduleTime: `${now.slice(0, 19)}Z` } },
    { subresource: "status" },
  );
  await holds(async () => {
    const jobs = await world.list<Job>("batch/v1", "Job");
    assert.equal(jobs.length, 1);
    assert.match(jobs[0]?.metadata.name ?? "", /^tick-\d{8}$/);
    assert.ok((await world.get<CronJob>("batch/v1", "CronJob", "tick")).status?.lastSuccessfulTime);
  });
});

test("a DaemonSet has one pod on each node that wants it, cordoned ones and new ones included", async () => {
  await using world = await startWorld();
  await world.client.patch({ apiVersion: "v1", kind: "Node", name: "n1" }, "merge", { spec: { unschedulable: true } });
  await world.apply({ apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent" }, spec: template("agent") });
  const nodes = async () => sorted((await world.pods()).map(({ spec }) => spec.nodeName));
  await holds(async () => assert.deepEqual(await nodes(), ["n1", "n2"]));
  await registerNode(world.client, "n3");
  await holds(async () => assert.deepEqual(await nodes(), ["n1", "n2", "n3"]));
  await world.client.patch({ apiVersion: "apps/v1", kind: "DaemonSet", namespace: "t", name: "agent" }, "strategic", {
    spec: { template: { spec: { containers: [{ name: "c", image: "x:2" }] } } },
  });
  await holds(async () => {
    assert.ok((await world.pods()).every(({ spec }) => spec.containers[0]?.image === "x:2"));
    const { status } = await world.get<DaemonSet>("apps/v1", "DaemonSet", "agent");
    assert.equal(status?.updatedNumberScheduled, 3);
    assert.equal(status?.numberAvailable, 3);
  });
});

test("disruption budgets and quotas are counted", async () => {
  await using world = await startWorld();
  await world.apply(
    {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "q" },
      spec: { hard: { pods: "10", "requests.cpu": "2", "count/deployments.apps": "5", services: "3" } },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "b" },
      spec: { maxUnavailable: "50%", selector: { matchLabels: { app: "web" } } },
    },
    deployment("web", 4, {}, { containers: [{ name: "c", image: "x", resources: { requests: { cpu: "250m" } } }] }),
  );
  await holds(async () => {
    const { status } = await world.get<PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "b");
    assert.deepEqual(
      [status?.expectedPods, status?.currentHealthy, status?.desiredHealthy, status?.disruptionsAllowed],
      [4, 4, 2, 2],
    );
    const quota = await world.get<ResourceQuota>("v1", "ResourceQuota", "q");
    assert.equal(quota.status?.used?.["pods"], "4");
    assert.equal(quota.status?.used?.["requests.cpu"], "1");
  });
  await world.client.delete(
    { apiVersion: "apps/v1", kind: "Deployment", namespace: "t", name: "web" },
    { propagationPolicy: "Background" },
  );
  await holds(async () => {
    const quota = await world.get<ResourceQuota>("v1", "ResourceQuota", "q");
    assert.deepEqual(quota.status?.used, {
      pods: "0",
      "requests.cpu": "0",
      "count/deployments.apps": "0",
      services: "0",
    });
  });
});

test("a node that falls silent is Unknown and tainted, and its pods move when their patience is over", async () => {
  await using world = await startWorld({ nodeMonitorGraceMilliseconds: 1000 });
  const tolerations = ["not-ready", "unreachable"].map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: 1,
  }));
  await world.apply(deployment("web", 2, {}, { tolerations }));
  await holds(async () => assert.ok((await world.pods()).every(({ status }) => status?.phase === "Running")));
  // n1 goes on renewing its lease, n2 does not.
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "n1", namespace: "kube-node-lease" },
  };
  if (!(await world.client.find({ apiVersion: "v1", kind: "Namespace", name: "kube-node-lease" }))) {
    await world.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-node-lease" } });
  }
  await world.client.create({
    ...lease,
    spec: { holderIdentity: "n1", renewTime: new Date().toISOString().replace("Z", "000Z") },
  });
  const renewal = setInterval(() => {
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    const ref = { apiVersion: lease.apiVersion, kind: "Lease", namespace: "kube-node-lease", name: "n1" };
    void world.client.patch(ref, "merge", { spec: { renewTime } }).catch(() => undefined);
  }, 200);
  try {
    await holds(async () => {
      const node = await world.client.get<Node>({ apiVersion: "v1", kind: "Node", name: "n2" });
      assert.equal(node.status?.conditions?.find(({ type }) => type === "Ready")?.status, "Unknown");
      assert.deepEqual(node.spec?.taints?.map(({ key, effect }) => `${key} ${effect}`).sort(), [
        "node.kubernetes.io/unreachable NoExecute",
        "node.kubernetes.io/unreachable NoSchedule",
      ]);
      const pods = await world.pods();
      assert.deepEqual(
        pods.map(({ spec }) => spec.nodeName),
        ["n1", "n1"],
      );
    });
  } finally {
    clearInterval(renewal);
  }
});

test("an autoscaler follows the metrics, and says what it did", async () => {
  let usage = 900;
  const world = await startWorld({
    autoscalerPeriodMilliseconds: 100,
    autoscalerDownscaleStabilizationMilliseconds: 300,
    intercept: (request) => {
      if (!request.path.startsWith("/apis/metrics.k8s.io/v1beta1/namespaces/t/pods")) return undefined;
      const items = measured.map((name) => ({
        metadata: { name, namespace: "t" },
        timestamp: new Date(Date.now() + 3_600_000).toISOString(),
        window: "15s",
        containers: [{ name: "c", usage: { cpu: `${usage}m`, memory: "10Mi" } }],
      }));
      const body = JSON.stringify({
        apiVersion: "metrics.k8s.io/v1beta1",
        kind: "PodMetricsList",
        metadata: {},
        items,
      });
      return { status: 200, headers: { "content-type": "application/json" }, body };
    },
  });
  await using _ = world;
  let measured: string[] = [];
  await world.apply(
    deployment("web", 2, {}, { containers: [{ name: "c", image: "x", resources: { requests: { cpu: "1" } } }] }),
  );
  const metrics = [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
  ];
  await world.apply({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 5,
      metrics,
    },
  });
  const refresh = setInterval(
    () => void world.pods().then((pods) => (measured = pods.map(({ metadata }) => metadata.name ?? ""))),
    30,
  );
  try {
    await holds(async () => assert.equal((await world.pods()).length, 4));
    usage = 100;
    await holds(async () => assert.equal((await world.pods()).length, 1));
  } finally {
    clearInterval(refresh);
  }
  const events = await world.events("web");
  assert.ok(
    events.includes(
      "SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target",
    ),
    events.join("\n"),
  );
  assert.ok(events.includes("SuccessfulRescale: New size: 1; reason: All metrics below target"), events.join("\n"));
  const { status } = await world.get<HorizontalPodAutoscaler>("autoscaling/v2", "HorizontalPodAutoscaler", "web");
  assert.equal(status?.conditions?.find(({ type }) => type === "ScalingActive")?.reason, "ValidMetricFound");
});
