import assert from "node:assert/strict";
import type { HorizontalPodAutoscaler, Pod, PodDisruptionBudget } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, refusal, shell, shellPod, type Sketch, type Trial } from "../fact.ts";
import { allReady, condition, podsOf, workload } from "./workload.ts";

const never = { readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } };
const budget = (spec: object): Sketch => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: "budget" },
  spec: { selector: { matchLabels: { app: "web" } }, ...spec },
});
const evict = (t: Trial, name = "", more: object = {}) =>
  t.client.subresource({ apiVersion: "v1", kind: "Pod", namespace: t.namespace, name }, "eviction", "POST", {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: t.namespace },
    ...more,
  });
const allows = (t: Trial, count: number, healthy?: number) =>
  eventually(async () => {
    const { status, metadata } = await t.get<PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "budget");
    const { observedGeneration, disruptionsAllowed, expectedPods, currentHealthy } = status ?? {};
    const counted = healthy === undefined || currentHealthy === healthy;
    return observedGeneration === metadata.generation && disruptionsAllowed === count && expectedPods && counted
      ? status
      : undefined;
  }, 40_000);

facts("disruption budgets and eviction", () => {
  fact("minAvailable counts what may go, and an eviction beyond it is refused with 429", async (t) => {
    await t.create(workload("Deployment", "web", 2), budget({ minAvailable: 2 }));
    const [pod] = await allReady(t, "web", 2);
    const status = await allows(t, 0, 2);
    assert.deepEqual([status.currentHealthy, status.desiredHealthy, status.expectedPods], [2, 2, 2]);
    const error = await refusal(evict(t, pod?.metadata.name));
    assert.deepEqual(
      [error.status.code, error.status.reason, error.message],
      [429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."],
    );
    assert.deepEqual(error.status.details?.causes, [
      { reason: "DisruptionBudget", message: "The disruption budget budget needs 2 healthy pods and has 2 currently" },
    ]);
    assert.equal((await t.pod(pod?.metadata.name ?? "")).metadata.deletionTimestamp, undefined);
  });

  fact("maxUnavailable takes percentages, rounded up, and each eviction takes of what is allowed", async (t) => {
    await t.create(workload("Deployment", "web", 3), budget({ maxUnavailable: "34%" }));
    const [first, second, third] = await allReady(t, "web", 3);
    await allows(t, 2);
    await evict(t, first?.metadata.name);
    await evict(t, second?.metadata.name);
    assert.equal((await refusal(evict(t, third?.metadata.name))).status.code, 429);
    await allReady(t, "web", 3);
    await allows(t, 2);
  });

  fact("an evicted pod is told so by a condition, ends gracefully and is replaced", async (t) => {
    await t.create(
      workload("Deployment", "web", 1, {
        container: shell("trap 'sleep 3; exit 0' TERM; while :; do sleep 0.1; done"),
        pod: { terminationGracePeriodSeconds: 20 },
      }),
    );
    const [pod] = await allReady(t, "web", 1);
    const name = pod?.metadata.name ?? "";
    await evict(t, name);
    const { status, metadata } = await t.pod(name);
    const target = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [target?.status, target?.reason, target?.message],
      ["True", "EvictionByEvictionAPI", "Eviction API: evicting"],
    );
    assert.equal(metadata.deletionGracePeriodSeconds, 20);
    const [other] = await eventually(async () => {
      const found = await podsOf(t, "web");
      return found.length === 1 ? found : undefined;
    });
    assert.notEqual(other?.metadata.name, name);
  });

  fact("a pod that is not ready may be evicted as unhealthyPodEvictionPolicy says", async (t) => {
    await t.create(workload("Deployment", "web", 1, { container: never }), budget({ minAvailable: 1 }));
    const [pod] = await eventually(async () => {
      const found = await podsOf(t, "web");
      return found[0]?.status?.phase === "Running" ? found : undefined;
    }, 40_000);
    await allows(t, 0);
    assert.equal((await refusal(evict(t, pod?.metadata.name))).status.code, 429);
    await t.client.patch(
      { apiVersion: "policy/v1", kind: "PodDisruptionBudget", namespace: t.namespace, name: "budget" },
      "merge",
      {
        spec: { unhealthyPodEvictionPolicy: "AlwaysAllow" },
      },
    );
    await eventually(() =>
      evict(t, pod?.metadata.name).then(
        () => true,
        () => false,
      ),
    );
  });

  fact("a pod without a budget, one that ended and one that is pending are evicted at once", async (t) => {
    await t.create(
      shellPod("pending", "true", { labels: { app: "web" }, spec: { nodeSelector: { "example.org/none": "such" } } }),
      shellPod("ended", "true", { labels: { app: "web" }, spec: { restartPolicy: "Never" } }),
      budget({ minAvailable: 5 }),
    );
    await t.ended("ended");
    await allows(t, 0);
    for (const name of ["pending", "ended"]) await evict(t, name);
    await eventually(async () => (await t.list<Pod>("v1", "Pod")).length === 0);
  });

  fact("two budgets on one pod make it impossible to evict", async (t) => {
    await t.create(workload("Deployment", "web", 1), budget({ maxUnavailable: 1 }), {
      ...budget({ maxUnavailable: 1 }),
      metadata: { name: "other" },
    });
    const [pod] = await allReady(t, "web", 1);
    const error = await refusal(evict(t, pod?.metadata.name));
    assert.deepEqual(
      [error.status.code, error.message],
      [500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."],
    );
  });

  fact("a budget says minAvailable or maxUnavailable, never both", async (t) => {
    const said = await refusal(t.create(budget({ minAvailable: 1, maxUnavailable: 1 })));
    assert.match(said.message, /minAvailable and maxUnavailable cannot be both set$/);
  });

  fact("a dry run of an eviction evicts nothing", async (t) => {
    await t.create(workload("Deployment", "web", 1));
    const [pod] = await allReady(t, "web", 1);
    await evict(t, pod?.metadata.name, { deleteOptions: { dryRun: ["All"] } });
    assert.equal((await t.pod(pod?.metadata.name ?? "")).metadata.deletionTimestamp, undefined);
  });
});

facts("HorizontalPodAutoscaler", () => {
  const autoscaler = (spec: object): Sketch => ({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 3,
      ...spec,
    },
  });
  const cpu = (averageUtilization: number) => [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } },
  ];
  const found = (t: Trial) => t.get<HorizontalPodAutoscaler>("autoscaling/v2", "HorizontalPodAutoscaler", "web");
  const requests = { resources: { requests: { cpu: "10m" } } };
  const replicas = async (t: Trial) =>
    ((await t.get("apps/v1", "Deployment", "web"))["spec"] as { replicas: number }).replicas;

  fact("minReplicas and maxReplicas hold before there are any metrics", async (t) => {
    await t.create(
      workload("Deployment", "web", 1, { container: requests }),
      autoscaler({ minReplicas: 2, metrics: cpu(50) }),
    );
    await eventually(async () => (await replicas(t)) === 2, 60_000);
    await t.client.patch(
      { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", namespace: t.namespace, name: "web" },
      "merge",
      { spec: { minReplicas: 1, maxReplicas: 1 } },
    );
    await eventually(async () => (await replicas(t)) === 1, 60_000);
  });

  fact("load beyond the target scales up, and is shown with it", async (t) => {
    // Many times what is requested, and little to the machine.
    const busy = shell("while :; do for i in 1 2 3 4 5 6 7 8 9; do :; done; sleep 0.05; done");
    await t.create(
      workload("Deployment", "web", 1, { container: { ...busy, ...requests } }),
      autoscaler({ metrics: cpu(50) }),
    );
    await eventually(async () => (await replicas(t)) === 3, 150_000, 1000);
    // What it has measured is written after what it has done.
    const scaler = await eventually(async () => {
      const one = await found(t);
      return (one.status?.currentMetrics?.[0]?.resource?.current.averageUtilization ?? 0) > 50 ? one : undefined;
    });
    assert.deepEqual(
      [condition(scaler, "AbleToScale")?.status, condition(scaler, "ScalingActive")?.status],
      ["True", "True"],
    );
  });

  fact("without a request nothing can be measured against it, which a condition says", async (t) => {
    await t.create(workload("Deployment", "web", 1), autoscaler({ metrics: cpu(50) }));
    const active = await eventually(async () => {
      const one = condition(await found(t), "ScalingActive");
      return one?.status === "False" && /missing request for cpu/.test(one.message ?? "") ? one : undefined;
    }, 120_000);
    assert.equal(active.reason, "FailedGetResourceMetric");
    assert.equal(await replicas(t), 1);
  });

  fact("a target that is scaled to zero is left alone", async (t) => {
    await t.create(workload("Deployment", "web", 0, { container: requests }), autoscaler({ metrics: cpu(50) }));
    const active = await eventually(async () => {
      const one = condition(await found(t), "ScalingActive");
      return one?.reason === "ScalingDisabled" ? one : undefined;
    }, 60_000);
    assert.equal(active.message, "scaling is disabled since the replica count of the target is zero");
    assert.equal(await replicas(t), 0);
  });

  fact("a target that is not there is said", async (t) => {
    await t.create(autoscaler({ metrics: cpu(50) }));
    const able = await eventually(async () => {
      const one = condition(await found(t), "AbleToScale");
      return one?.status === "False" ? one : undefined;
    }, 60_000);
    assert.deepEqual(
      [able.reason, able.message],
      [
        "FailedGetScale",
        'the HPA controller was unable to get the target\'s current scale: deployments.apps "web" not found',
      ],
    );
  });
});
