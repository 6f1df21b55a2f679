import assert from "node:assert/strict";
import type { Deployment, HorizontalPodAutoscaler, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { idle, kubectlFacts, shell, type Sketch, type Trial } from "../fact.ts";

function workload(kind: "Deployment" | "StatefulSet" | "DaemonSet", more: object = {}): Sketch {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "web" },
    spec: {
      ...(kind === "DaemonSet" ? {} : { replicas: 1 }),
      ...(kind === "StatefulSet" ? { serviceName: "web" } : {}),
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ ...shell(idle), env: [{ name: "VERSION", value: "1" }] }],
        },
      },
      ...more,
    },
  };
}

const version = async (t: Trial, kind: string) =>
  (await t.get<Deployment>("apps/v1", kind, "web")).spec?.template?.spec?.containers[0]?.env?.[0]?.value;

kubectlFacts("rollout", (fact) => {
  for (const kind of ["Deployment", "StatefulSet", "DaemonSet"] as const) {
    const resource = kind.toLowerCase();

    fact(`${kind}: history lists revisions, undo goes back to the one before`, async (t) => {
      await t.create(workload(kind));
      await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
      await t.kubectl.run`annotate ${resource} web kubernetes.io/change-cause=first`;
      await t.kubectl.run`set env ${resource}/web VERSION=2`;
      await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
      const history = await t.kubectl.run`rollout history ${resource}/web`;
      assert.match(history, /^REVISION +CHANGE-CAUSE\n1 +\S+\n2 +first\n/m);
      assert.match(await t.kubectl.run`rollout history ${resource}/web --revision=1`, /VERSION:\s+1/);
      await t.kubectl.run`rollout undo ${resource}/web`;
      await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
      assert.equal(await version(t, kind), "1");
      assert.match(await t.kubectl.run`rollout history ${resource}/web`, /^2 .*\n3 /m);
    });

    fact(`${kind}: undo --to-revision goes back to any`, async (t) => {
      await t.create(workload(kind));
      for (const value of [2, 3]) {
        await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
        await t.kubectl.run`set env ${resource}/web VERSION=${value}`;
      }
      await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
      await t.kubectl.run`rollout undo ${resource}/web --to-revision=1`;
      assert.equal(await version(t, kind), "1");
      assert.match(
        await t.kubectl.refused`rollout undo ${resource}/web --to-revision=99`,
        /unable to find (specified )?revision|no revision|99/i,
      );
    });

    fact(`${kind}: restart replaces every pod`, async (t) => {
      await t.create(workload(kind));
      await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
      const before = (await t.list<Pod>("v1", "Pod")).map(({ metadata }) => metadata.uid);
      assert.equal(await t.kubectl.run`rollout restart ${resource}/web`, `${resource}.apps/web restarted\n`);
      await t.kubectl.run`rollout status ${resource}/web --timeout=60s`;
      const after = (await t.list<Pod>("v1", "Pod")).filter(({ metadata }) => !metadata.deletionTimestamp);
      assert.ok(after.length > 0);
      assert.ok(after.every(({ metadata }) => !before.includes(metadata.uid)));
    });
  }

  fact("status says what it waits for, then that it rolled out", async (t) => {
    await t.create(workload("Deployment"));
    const said = await t.kubectl.run`rollout status deployment/web --timeout=60s`;
    assert.match(said, /deployment "web" successfully rolled out\n$/);
  });

  fact("status of a rollout past its progress deadline is an error", async (t) => {
    const object = workload("Deployment", { progressDeadlineSeconds: 2 });
    Object.assign(object["spec"] as object, {
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [{ ...shell(idle), readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } }],
          terminationGracePeriodSeconds: 1,
        },
      },
    });
    await t.create(object);
    assert.equal(
      await t.kubectl.refused`rollout status deployment/web --timeout=60s`,
      'error: deployment "web" exceeded its progress deadline',
    );
    const { status } = await t.get<Deployment>("apps/v1", "Deployment", "web");
    const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
    assert.deepEqual([progressing?.status, progressing?.reason], ["False", "ProgressDeadlineExceeded"]);
  });

  fact("a paused deployment rolls nothing out until it is resumed", async (t) => {
    await t.create(workload("Deployment"));
    await t.kubectl.run`rollout status deployment/web --timeout=60s`;
    await t.kubectl.run`set env deployment/web OTHER=1`;
    await t.kubectl.run`rollout status deployment/web --timeout=60s`;
    assert.equal(await t.kubectl.run`rollout pause deployment/web`, "deployment.apps/web paused\n");
    await t.kubectl.run`set env deployment/web VERSION=2`;
    await t.kubectl.run`set env deployment/web VERSION=3`;
    const generation = Number(await t.kubectl.run`get deployment web -o jsonpath={.metadata.generation}`);
    await eventually(
      async () =>
        Number(await t.kubectl.run`get deployment web -o jsonpath={.status.observedGeneration}`) === generation,
    );
    assert.equal((await t.list("apps/v1", "ReplicaSet")).length, 2);
    assert.match(
      await t.kubectl.refused`rollout undo deployment/web`,
      /you cannot rollback a paused deployment; resume it first/,
    );
    assert.match(await t.kubectl.refused`rollout pause deployment/web`, /is already paused/);
    await t.kubectl.run`rollout resume deployment/web`;
    await t.kubectl.run`rollout status deployment/web --timeout=60s`;
    assert.equal((await t.list("apps/v1", "ReplicaSet")).length, 3);
    assert.match(await t.kubectl.run`rollout history deployment/web`, /^1 .*\n2 .*\n3 .*\n\n?$/m);
  });

  fact("history of a deployment without a cause shows <none>", async (t) => {
    await t.create(workload("Deployment"));
    await eventually(async () => /^1 +<none>/m.test(await t.kubectl.run`rollout history deployment/web`));
  });
});

kubectlFacts("scale, autoscale and wait", (fact) => {
  fact("scale changes replicas, and refuses where --current-replicas is wrong", async (t) => {
    await t.create(workload("Deployment"));
    assert.equal(await t.kubectl.run`scale deployment/web --replicas=3`, "deployment.apps/web scaled\n");
    await t.kubectl.run`rollout status deployment/web --timeout=60s`;
    assert.equal((await t.list("v1", "Pod")).length, 3);
    assert.match(
      await t.kubectl.refused`scale deployment/web --current-replicas=2 --replicas=1`,
      /Expected replicas to be 2, was 3/,
    );
    await t.kubectl.run`scale deployment/web --current-replicas=3 --replicas=0`;
    await eventually(async () => (await t.list("v1", "Pod")).length === 0);
  });

  fact("a statefulset and a replicaset scale too", async (t) => {
    await t.create(workload("StatefulSet"));
    await t.kubectl.run`scale statefulset/web --replicas=2`;
    await t.kubectl.run`rollout status statefulset/web --timeout=60s`;
    assert.deepEqual(
      (await t.list<Pod>("v1", "Pod")).map(({ metadata }) => metadata.name),
      ["web-0", "web-1"],
    );
    await t.kubectl.run`scale statefulset/web --replicas=0`;
    await eventually(async () => (await t.list("v1", "Pod")).length === 0);
  });

  fact("autoscale makes an autoscaler of the object", async (t) => {
    await t.create(workload("Deployment"));
    assert.equal(
      await t.kubectl.run`autoscale deployment web --min=2 --max=5 --cpu-percent=50`.catch(
        () => t.kubectl.run`autoscale deployment web --min=2 --max=5 --cpu=50%`,
      ),
      "horizontalpodautoscaler.autoscaling/web autoscaled\n",
    );
    const { spec } = await t.get<HorizontalPodAutoscaler>("autoscaling/v2", "HorizontalPodAutoscaler", "web");
    assert.deepEqual(
      [spec?.minReplicas, spec?.maxReplicas, spec?.scaleTargetRef],
      [2, 5, { apiVersion: "apps/v1", kind: "Deployment", name: "web" }],
    );
    assert.deepEqual(spec?.metrics, [
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
    ]);
    await eventually(
      async () => (await t.get<Deployment>("apps/v1", "Deployment", "web")).spec?.replicas === 2,
      60_000,
    );
  });

  fact("wait waits for a condition, a field, and an end", async (t) => {
    await t.create(workload("Deployment"));
    assert.equal(
      await t.kubectl.run`wait deployment/web --for=condition=Available --timeout=60s`,
      "deployment.apps/web condition met\n",
    );
    assert.equal(
      await t.kubectl.run`wait deployment/web --for=${"jsonpath={.status.readyReplicas}=1"} --timeout=60s`,
      "deployment.apps/web condition met\n",
    );
    assert.equal(
      await t.kubectl.run`wait pod -l app=web --for=condition=Ready --timeout=60s`.then(
        (said) => said.split("\n").length,
      ),
      2,
    );
    await using waiting = t.kubectl.start`wait deployment/web --for=delete --timeout=60s`;
    await t.kubectl.run`delete deployment web`;
    assert.equal(await waiting.ended, 0);
  });

  fact("wait --for=create waits for what is not there yet", async (t) => {
    await using waiting = t.kubectl.start`wait configmap/late --for=create --timeout=60s`;
    await t.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "late" } });
    assert.equal(await waiting.ended, 0);
  });

  fact("wait gives up after --timeout, and says what for", async (t) => {
    await t.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } });
    assert.equal(
      await t.kubectl.refused`wait configmap/one --for=condition=Ready --timeout=1s`,
      "error: timed out waiting for the condition on configmaps/one",
    );
    assert.match(await t.kubectl.refused`wait configmap/none --for=condition=Ready --timeout=1s`, /NotFound/);
  });
});
