import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { test } from "node:test";
import { eventually, temporaryFolder } from "@dhow/testkit";
import { oneNode, shell } from "../support/one-node.ts";

const forever = "trap 'exit 0' TERM; while :; do sleep 0.02; done";

type Node = Awaited<ReturnType<typeof oneNode>>;

/** What a follower of edits asks for. */
function restart(node: Node, pod: string, container = "c"): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const path = `/restart/n/${pod}/${container}`;
    const sent = request({ socketPath: node.socketPath, method: "POST", path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

test("a container whose source was edited runs anew, which is no restart; what ended before is its last state", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", { containers: [shell("c", `echo run >> ${folder.path}/runs; ${forever}`), shell("d", forever)] });
  await node.until("p", ({ status }) => status?.containerStatuses?.every(({ ready }) => ready) ?? false);
  const before = [node.status("p"), node.status("p", "d")];
  assert.equal((await restart(node, "p")).status, 200);
  assert.equal((await restart(node, "p")).status, 200);
  // The program without a probe is there before it has written anything.
  await eventually(() => readFileSync(`${folder.path}/runs`, "utf8") === "run\n".repeat(3));
  const after = node.status("p");
  assert.notEqual(after?.containerID, before[0]?.containerID);
  assert.deepEqual([after?.restartCount, after?.ready, after?.lastState?.terminated?.exitCode], [0, true, 0]);
  assert.equal(node.status("p", "d")?.containerID, before[1]?.containerID, "the other container goes on");
});

test("edits do not hide crashes: what ends by itself counts, and is started again at once the first time", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const crash = `${folder.path}/crash`;
  const script = `trap 'exit 0' TERM; while :; do if [ -e ${crash} ]; then rm ${crash}; exit 7; fi; sleep 0.02; done`;
  node.run("p", { containers: [shell("c", script)] });
  await node.until("p", ({ status }) => status?.containerStatuses?.[0]?.ready ?? false);
  await restart(node, "p");
  writeFileSync(crash, "");
  await eventually(() => node.status("p")?.restartCount === 1 && node.status("p")?.ready === true);
  assert.equal(node.status("p")?.lastState?.terminated?.exitCode, 7);
  await restart(node, "p");
  assert.equal(node.status("p")?.restartCount, 1);
  assert.ok(!node.events().some((event) => event.startsWith("BackOff")), "no edit counts as a failure");
});

test("many edits leave room for the events that say what is wrong", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const livenessProbe = {
    exec: { command: ["test", "!", "-e", `${folder.path}/ill`] },
    periodSeconds: 1,
    failureThreshold: 1,
  };
  node.run("p", { containers: [shell("c", forever, { livenessProbe })] });
  await node.until("p", ({ status }) => status?.containerStatuses?.[0]?.ready ?? false);
  for (let edit = 0; edit < 30; edit++) await restart(node, "p");
  writeFileSync(`${folder.path}/ill`, "");
  await eventually(() => node.events().some((event) => event.startsWith("Unhealthy: Liveness probe failed")));
  assert.equal(readdirSync(`${folder.path}/agent/nodes/one/pods/${node.pod("p")?.metadata.uid}/logs/c`).length, 2);
});

test("edits that come faster than the program starts end with one run of the newest code", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const source = `${folder.path}/source`;
  writeFileSync(source, "old");
  const ready = { exec: { command: ["test", "-e", `${folder.path}/ready`] }, periodSeconds: 1 };
  node.run("p", {
    containers: [
      shell("c", `cp ${source} ${folder.path}/seen; touch ${folder.path}/ready; ${forever}`, { readinessProbe: ready }),
    ],
  });
  await node.until("p", ({ status }) => status?.containerStatuses?.[0]?.ready ?? false);
  const answers: Promise<{ status: number; text: string }>[] = [];
  for (const word of ["one", "two", "three"]) {
    writeFileSync(`${source}.new`, word);
    renameSync(`${source}.new`, source);
    answers.push(restart(node, "p"));
    await new Promise((resolve) => setTimeout(resolve, 70));
  }
  assert.equal((await Promise.all(answers)).at(-1)?.status, 200);
  assert.equal(readFileSync(`${folder.path}/seen`, "utf8"), "three");
  assert.deepEqual([node.status("p")?.restartCount, node.status("p")?.ready], [0, true]);
});

test("code that ends at once is said to whoever asked, and mended code does not wait for the back-off", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const source = `${folder.path}/source`;
  writeFileSync(source, forever);
  const ready = { exec: { command: ["sh", "-c", `! grep -q exit.5 ${source}`] }, periodSeconds: 1 };
  node.run("p", { containers: [shell("c", `. ${source}`, { readinessProbe: ready })] });
  await node.until("p", ({ status }) => status?.containerStatuses?.[0]?.ready ?? false);
  writeFileSync(source, "sleep 0.05; exit 5");
  const broken = await restart(node, "p");
  assert.deepEqual([broken.status, broken.text.trim()], [500, "it ended before it was ready"]);
  await eventually(() => node.status("p")?.state?.waiting?.reason === "CrashLoopBackOff", 20_000);
  writeFileSync(source, forever);
  assert.equal((await restart(node, "p")).status, 200);
  assert.equal(node.status("p")?.ready, true);
});

test("a pod that is deleted keeps nobody waiting for its next run", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", { containers: [shell("c", "trap '' TERM; while :; do sleep 0.02; done")] });
  await node.until("p", ({ status }) => status?.containerStatuses?.[0]?.ready ?? false);
  const asked = restart(node, "p");
  await new Promise((resolve) => setTimeout(resolve, 100));
  node.delete("p", 1);
  assert.equal((await asked).status, 200);
  await eventually(() => node.pod("p") === undefined);
});

test("a container that fails its liveness probe is restarted beside others that go on", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  const file = `${folder.path}/well`;
  writeFileSync(file, "");
  const livenessProbe = { exec: { command: ["test", "-e", file] }, periodSeconds: 1, failureThreshold: 1 };
  node.run("p", { containers: [shell("c", forever, { livenessProbe }), shell("d", forever)] });
  await node.until("p", ({ status }) => status?.containerStatuses?.every(({ ready }) => ready) ?? false);
  renameSync(file, `${file}.gone`);
  await eventually(() => node.status("p")?.restartCount === 1);
  renameSync(`${file}.gone`, file);
  await eventually(() => node.status("p")?.ready === true);
  assert.equal(node.status("p", "d")?.restartCount, 0);
});
