import assert from "node:assert/strict";
import { it } from "node:test";
import { complete, killProgram, podsOf, pods, services, type Stage } from "./operator.ts";

/** More pods and fewer, and pods, programs and nodes that go away. */
export function capacity(stage: () => Stage): void {
  it("scales every service from 2 to 4 pods and back", async () => {
    const { cluster, load } = stage();
    await load.during("scale 2 → 4 → 2", async () => {
      for (const replicas of [4, 2]) {
        await cluster.kubectl("scale", ...services.map((name) => `deployment/${name}`), `--replicas=${replicas}`);
        await complete(cluster, ...services);
        await Promise.all(services.map((name) => pods(cluster, name, replicas)));
      }
    });
  });

  it("replaces a pod of every service that is deleted, and the database's", async () => {
    const { cluster, load } = stage();
    await load.during("delete a pod of each", async () => {
      for (const name of [...services, "postgres"]) {
        const [pod = ""] = await podsOf(cluster, name);
        await cluster.kubectl("delete", "pod", pod);
        await complete(cluster, name);
      }
    });
    // One server had ended before the next began: two on one data folder would destroy it.
    const log = await cluster.kubectl("logs", "deployment/postgres");
    assert.match(log, /database system was shut down at/);
    assert.doesNotMatch(log, /not properly shut down|was interrupted/);
  });

  const needs = process.getuid?.() === 0 ? false : "needs root: programs of pods belong to users of their own";
  it(
    "starts programs again that were killed; the survivors serve, and repeat what they had begun",
    { skip: needs },
    async () => {
      const { cluster, load } = stage();
      await load.during("kill -9 a program of each", async () => {
        for (const name of services) {
          for (const pod of await podsOf(cluster, name)) {
            assert.equal(killProgram(pod, "/opt/dhow/bin/node src/main.ts"), 1, pod);
            await restarted(stage(), pod);
          }
        }
        const [database = ""] = await podsOf(cluster, "postgres");
        assert.ok(killProgram(database, "postgres") > 0);
        await restarted(stage(), database);
      });
    },
  );

  it("drains a node, respecting the budgets, and takes it back", async () => {
    const { cluster, load } = stage();
    await load.during("drain a node", async () => {
      const [node] = (await cluster.objects("pods", "-l", "app=postgres")).map(({ spec }) => spec.nodeName);
      await cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s");
      const left = await cluster.objects("pods", "--field-selector", `spec.nodeName=${node}`);
      assert.deepEqual(left, []);
      await complete(cluster, ...services, "postgres");
      await cluster.kubectl("uncordon", node);
    });
  });
}

/** Waits until the pod's container has been started once more and serves. */
async function restarted({ cluster }: Stage, pod: string): Promise<void> {
  const jsonpath = "jsonpath={.status.containerStatuses[0].restartCount}";
  while (Number(await cluster.kubectl("get", "pod", pod, "-o", jsonpath)) === 0) continue;
  await cluster.kubectl("wait", `pod/${pod}`, "--for=condition=Ready", "--timeout=60s");
}
