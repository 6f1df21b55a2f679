import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { eventually, temporaryFolder } from "@dhow/testkit";
import { oneNode, shell } from "../support/one-node.ts";

const forever = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

test("the node registers itself, with a lease", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const registered = node.api.objects.get("/api/v1/nodes/one");
  assert.equal(registered?.metadata.labels?.["topology.kubernetes.io/zone"], "a");
  assert.ok(node.api.objects.has("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/one"));
});

test("init containers in order, then the others; a pod that ends has succeeded, and its sandbox is gone", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", {
    restartPolicy: "Never",
    initContainers: [shell("i", "true"), shell("j", "true")],
    containers: [shell("c", "exit 0"), shell("d", "true")],
  });
  const ended = await node.until("p", ({ status }) => status?.phase === "Succeeded");
  assert.deepEqual(
    ended.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.reason),
    ["Completed", "Completed"],
  );
  assert.ok(
    Date.parse(node.status("p", "i")?.state?.terminated?.finishedAt ?? "") <=
      Date.parse(node.status("p", "j")?.state?.terminated?.startedAt ?? ""),
  );
  await eventually(() => node.sandbox.removed.includes("p"));
  assert.equal(node.status("p")?.ready, false);
});

test("a container that fails is restarted at once, then waits; its last words are kept", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", {
    containers: [shell("c", "echo last words; exit 3", { terminationMessagePolicy: "FallbackToLogsOnError" })],
  });
  const waiting = await node.until(
    "p",
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
  );
  const status = waiting.status?.containerStatuses?.[0];
  assert.match(status?.state?.waiting?.message ?? "", /^back-off 1s restarting failed container=c pod=p_n\(.+\)$/);
  assert.deepEqual(
    [status?.lastState?.terminated?.exitCode, status?.lastState?.terminated?.message],
    [3, "last words\n"],
  );
  assert.equal(status?.restartCount, 1);
  await eventually(() =>
    node.events().some((event) => event.startsWith("BackOff: Back-off restarting failed container c in pod p_n(")),
  );
});

test("deletion: SIGTERM, the preStop hook before it, SIGKILL after the grace period, then the object goes", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const kind = shell("kind", "trap 'echo terminated; exit 0' TERM; while :; do sleep 0.05; done", {
    lifecycle: { preStop: { exec: { command: ["false"] } } },
  });
  node.run("p", {
    restartPolicy: "Never",
    containers: [kind, shell("stubborn", "trap '' TERM; while :; do sleep 0.05; done")],
  });
  await node.until("p", ({ status }) => status?.phase === "Running");
  await new Promise((resolve) => setTimeout(resolve, 200));
  node.delete("p", 1);
  const last = await node.until("p", ({ status }) => status?.phase === "Failed");
  assert.deepEqual(
    last.status?.containerStatuses?.map(({ state }) => state?.terminated?.exitCode),
    [0, 137],
  );
  await eventually(() => node.pod("p") === undefined);
  await eventually(() => node.events().includes("FailedPreStopHook: PreStopHook failed"));
  assert.ok(node.events().includes("Killing: Stopping container stubborn"));
});

test("an unknown image is said, backs off, and is tried again as soon as the table knows it", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", { containers: [{ ...shell("c", forever), image: "shop/web:1" }] });
  await node.until("p", ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "ErrImagePull");
  await eventually(() =>
    node
      .events()
      .some((event) =>
        event.startsWith('Failed: Failed to pull image "shop/web:1": This node has nothing for the image'),
      ),
  );
  writeFileSync(`${node.tablePath}.new`, JSON.stringify({ images: { "shop/web:1": { alias: "busybox" } } }));
  renameSync(`${node.tablePath}.new`, node.tablePath);
  await node.until("p", ({ status }) => status?.phase === "Running");
});

test("a missing Secret is a configuration error, and is found when it comes", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", {
    containers: [
      shell("c", `echo $A; ${forever}`, { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }),
    ],
  });
  const waiting = await node.until(
    "p",
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
  );
  assert.equal(waiting.status?.containerStatuses?.[0]?.state?.waiting?.message, 'secret "s" not found');
  node.api.put("/api/v1/namespaces/n/secrets/s", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "n" },
    data: { k: "dg==" },
  });
  await node.until("p", ({ status }) => status?.phase === "Running");
});

test("liveness restarts, readiness shows, startup holds both back", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const file = `${folder.path}/well`;
  const probe = { exec: { command: ["test", "-e", file] }, periodSeconds: 1, failureThreshold: 1 };
  node.run("p", {
    containers: [
      shell("c", forever, {
        startupProbe: { ...probe, failureThreshold: 30 },
        readinessProbe: probe,
        livenessProbe: probe,
      }),
    ],
  });
  await node.until("p", ({ status }) => status?.phase === "Running");
  assert.deepEqual([node.status("p")?.started, node.status("p")?.ready], [false, false]);
  writeFileSync(file, "");
  await eventually(() => node.status("p")?.ready === true);
  assert.equal(node.status("p")?.restartCount, 0);
  renameSync(file, `${file}.gone`);
  await eventually(() => node.status("p")?.restartCount === 1);
  assert.equal(node.status("p")?.ready, false);
  await eventually(() => node.events().includes("Killing: Container c failed liveness probe, will be restarted"));
});

test("a pod beyond its deadline has failed", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", { activeDeadlineSeconds: 1, containers: [shell("c", forever)] });
  const failed = await node.until("p", ({ status }) => status?.phase === "Failed");
  assert.equal(failed.status?.reason, "DeadlineExceeded");
});

test("a postStart hook that fails ends the container", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", {
    containers: [
      shell("c", forever, { lifecycle: { postStart: { exec: { command: ["sh", "-c", "echo no; exit 5"] } } } }),
    ],
  });
  const waiting = await node.until("p", ({ status }) =>
    /PostStartHookError/.test(status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ""),
  );
  assert.match(
    waiting.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "",
    /^Exec lifecycle hook \(\[sh -c echo no; exit 5\]\) for Container "c" .*exited with 5: , message: "no\\n"$/,
  );
});

test("the next agent runs again what ran, one restart later, and repeats nothing that had ended", async () => {
  using folder = temporaryFolder();
  const first = await oneNode(folder.path);
  first.run("runs", { containers: [shell("c", forever)] });
  first.run("ended", { restartPolicy: "Never", containers: [shell("c", `echo once >> ${folder.path}/ended`)] });
  await first.until("runs", ({ status }) => status?.phase === "Running");
  await first.until("ended", ({ status }) => status?.phase === "Succeeded");
  await first[Symbol.asyncDispose]();
  await using second = await oneNode(folder.path, first.api);
  await eventually(() => second.status("runs")?.restartCount === 1 && second.status("runs")?.ready === true);
  assert.deepEqual(
    [second.status("runs")?.lastState?.terminated?.exitCode, second.status("runs")?.lastState?.terminated?.reason],
    [255, "Unknown"],
  );
  assert.equal(second.status("ended")?.restartCount, 0);
  assert.equal(second.pod("ended")?.status?.phase, "Succeeded");
});
