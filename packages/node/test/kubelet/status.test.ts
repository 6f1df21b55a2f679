import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "@dhow/kube";
import { decide } from "../../src/kubelet/decide.ts";
import { type ContainerInstance, interruptRunning, type PodRecord } from "../../src/kubelet/pod-record.ts";
import { podStatus } from "../../src/kubelet/status/pod-status.ts";
import { qosClass } from "../../src/kubelet/status/qos.ts";

type Policy = "Always" | "OnFailure" | "Never";

function pod(restartPolicy: Policy, containers: string[], init: Partial<Container>[] = []): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n", uid: "u", generation: 1 },
    spec: {
      restartPolicy,
      containers: containers.map((name) => ({ name, image: "i" })),
      initContainers: init.map((one) => ({ name: "init", image: "i", ...one })),
    },
  };
}

/** A record from words such as `running`, `0` (exited so) or `-` (never started). */
function record(states: Readonly<Record<string, string>>, more: Partial<PodRecord> = {}): PodRecord {
  const containers: Record<string, ContainerInstance[]> = {};
  for (const [name, word] of Object.entries(states)) {
    if (word === "-") continue;
    const exited = word !== "running";
    containers[name] = [
      {
        id: `${name}-id`,
        name,
        attempt: 0,
        sandbox: 0,
        image: "i",
        imageID: "sha256:1",
        user: { uid: 1, gid: 1, supplementalGroups: [] },
        state: exited ? "exited" : "running",
        startedAt: 1000,
        ...(exited ? { finishedAt: 2000, exitCode: Number(word), reason: word === "0" ? "Completed" : "Error" } : {}),
      },
    ];
  }
  return { uid: "u", namespace: "n", name: "p", startTime: 0, sandbox: 0, containers, ...more };
}

function statusOf(subject: Pod, of: PodRecord, terminal = false) {
  return podStatus({
    pod: subject,
    record: of,
    podIP: "10.244.1.2",
    hostIP: "10.250.0.11",
    sandboxReady: !terminal,
    terminal,
    previousConditions: [],
    now: 5000,
    view: ({ name }) => {
      const running = of.containers[name]?.[0]?.state === "running";
      const init = subject.spec.initContainers?.find((one) => one.name === name);
      const done = of.containers[name]?.[0]?.exitCode === 0;
      return { started: running, inPostStart: false, ready: init && init.restartPolicy !== "Always" ? done : running };
    },
  });
}

/** policy, init, containers, → phase once nothing runs any more, decision. As a real kubelet 1.36 reported them. */
const table: [Policy, string, string, string, string][] = [
  ["Always", "", "-", "Pending", "start a"],
  ["Always", "", "running", "Running", ""],
  ["Always", "", "1", "Running", "start a"],
  ["OnFailure", "", "1", "Running", "start a"],
  ["OnFailure", "", "0", "Succeeded", "finished"],
  ["Never", "", "0", "Succeeded", "finished"],
  ["Never", "", "3", "Failed", "finished"],
  ["Never", "", "0,running", "Running", ""],
  ["Never", "", "0,3", "Failed", "finished"],
  ["Never", "-", "-", "Pending", "start init"],
  ["Never", "running", "-", "Pending", ""],
  ["Never", "1", "-", "Failed", "finished"],
  ["OnFailure", "1", "-", "Pending", "start init"],
  ["Always", "0", "-", "Pending", "start a"],
];

for (const [policy, init, states, phase, action] of table) {
  test(`restartPolicy ${policy}, init ${init || "none"}, containers ${states}: ${phase}, ${action || "nothing to do"}`, () => {
    const names = states.split(",").map((_, index) => "ab"[index] ?? "");
    const words = Object.fromEntries(states.split(",").map((word, index) => [names[index] ?? "", word]));
    const subject = pod(policy, names, init ? [{}] : []);
    const of = record({ ...words, ...(init ? { init } : {}) });
    const decision = decide({
      pod: subject,
      record: of,
      running: (name) =>
        of.containers[name]?.[0]?.state === "running"
          ? { started: true, stopping: false, failedProbe: undefined }
          : undefined,
    });
    const words2 = decision.finished ? "finished" : decision.start.map(({ name }) => `start ${name}`).join();
    assert.equal(words2, action);
    assert.equal(statusOf(subject, of, decision.finished).phase, phase);
  });
}

test("a sidecar is started before, and must have started; it does not hold up the end", () => {
  const subject = pod("Never", ["a"], [{ name: "side", restartPolicy: "Always" }]);
  const running = (started: boolean) => (name: string) =>
    name === "side" ? { started, stopping: false, failedProbe: undefined } : undefined;
  const waits = decide({ pod: subject, record: record({ side: "running" }), running: running(false) });
  assert.deepEqual([waits.start, waits.initialized], [[], false]);
  const goes = decide({ pod: subject, record: record({ side: "running" }), running: running(true) });
  assert.deepEqual(
    goes.start.map(({ name }) => name),
    ["a"],
  );
  const ends = decide({
    pod: subject,
    record: record({ side: "running", a: "0" }, { initialized: true }),
    running: running(true),
  });
  assert.equal(ends.finished, true);
});

test("a failed liveness probe ends the container; in the kubelet's words", () => {
  const [one, never] = (["Always", "Never"] as const).map((policy) =>
    decide({
      pod: pod(policy, ["a"]),
      record: record({ a: "running" }),
      running: () => ({ started: true, stopping: false, failedProbe: "Liveness" }),
    }),
  );
  assert.equal(one?.kill[0]?.message, "Container a failed liveness probe, will be restarted");
  assert.equal(never?.kill[0]?.message, "Container a failed liveness probe");
});

test("while containers of it may still run, a pod is not shown as ended", () => {
  const subject = { ...pod("Never", ["a"]), status: { phase: "Running" as const } };
  const status = statusOf(subject, record({ a: "0" }));
  assert.equal(status.phase, "Running");
  assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.reason, "PodCompleted");
});

test("after an interruption what ran has ended with 255, and init containers are due again", () => {
  const of = record({ init: "0", a: "running" }, { initialized: true });
  interruptRunning(of, 9000);
  assert.equal(of.containers["a"]?.[0]?.exitCode, 255);
  const again = decide({ pod: pod("Always", ["a"], [{}]), record: of, running: () => undefined });
  assert.deepEqual(
    again.start.map(({ name }) => name),
    ["init"],
  );
  const never = record({ a: "running" }, { initialized: true });
  interruptRunning(never, 9000);
  assert.equal(decide({ pod: pod("Never", ["a"]), record: never, running: () => undefined }).finished, true);
});

test("the conditions of a pod that initializes, runs and has ended are a real kubelet's", () => {
  const subject = pod("Never", ["a", "b"], [{}]);
  const words = (of: PodRecord, terminal = false) =>
    statusOf(subject, of, terminal).conditions?.map(({ type, status, reason, message }) =>
      [type, status, reason, message].filter(Boolean).join(" "),
    );
  assert.deepEqual(words(record({ init: "running" })), [
    "PodReadyToStartContainers True",
    "Initialized False ContainersNotInitialized containers with incomplete status: [init]",
    "Ready False ContainersNotReady containers with unready status: [a b]",
    "ContainersReady False ContainersNotReady containers with unready status: [a b]",
    "PodScheduled True",
  ]);
  assert.deepEqual(words(record({ init: "0", a: "0", b: "running" }, { initialized: true })), [
    "PodReadyToStartContainers True",
    "Initialized True",
    "Ready False ContainersNotReady containers with unready status: [a]",
    "ContainersReady False ContainersNotReady containers with unready status: [a]",
    "PodScheduled True",
  ]);
  assert.deepEqual(words(record({ init: "0", a: "0", b: "0" }, { initialized: true }), true), [
    "PodReadyToStartContainers False",
    "Initialized True PodCompleted",
    "Ready False PodCompleted",
    "ContainersReady False PodCompleted",
    "PodScheduled True",
  ]);
});

test("quality of service follows from requests and limits", () => {
  const of = (resources: Container["resources"]) =>
    qosClass({ ...pod("Always", []), spec: { containers: [{ name: "a", ...(resources ? { resources } : {}) }] } });
  assert.equal(of(undefined), "BestEffort");
  assert.equal(of({ requests: { cpu: "1" } }), "Burstable");
  assert.equal(of({ limits: { cpu: "1", memory: "1Gi" } }), "Guaranteed");
  assert.equal(of({ limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1000m", memory: "1024Mi" } }), "Guaranteed");
  assert.equal(of({ limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } }), "Burstable");
});
