import assert from "node:assert/strict";
import type { Job, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, idle, refusal, shell, type Trial } from "../fact.ts";
import { condition, observe } from "./workload.ts";

const job = (name: string, script: string, spec: object = {}, pod: object = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: {
    template: {
      spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 1, containers: [shell(script)], ...pod },
    },
    ...spec,
  },
});
const jobOf = (t: Trial, name: string) => t.get<Job>("batch/v1", "Job", name);
const podsOf = (t: Trial, name: string) => t.list<Pod>("v1", "Pod", `batch.kubernetes.io/job-name=${name}`);
const ref = (t: Trial, name: string) => ({ apiVersion: "batch/v1", kind: "Job", namespace: t.namespace, name });
const indexed = (completions: number, more: object = {}) => ({
  completions,
  parallelism: completions,
  completionMode: "Indexed",
  ...more,
});

/** The condition `type` once it is true. */
function holds(t: Trial, name: string, type: string) {
  return eventually(async () => {
    const found = condition(await jobOf(t, name), type);
    return found?.status === "True" ? found : undefined;
  }, 60_000);
}

facts("Job", () => {
  fact("a job runs completions pods, parallelism at a time", async (t) => {
    const stop = observe(
      t,
      async () =>
        (await podsOf(t, "many")).filter(({ status }) => ["Pending", "Running"].includes(status?.phase ?? "")).length,
    );
    await t.create(job("many", "sleep 0.5", { completions: 5, parallelism: 2 }));
    await holds(t, "many", "Complete");
    const running = await stop();
    assert.equal(Math.max(...running), 2);
    const { status } = await jobOf(t, "many");
    assert.deepEqual([status?.succeeded, status?.active, status?.failed], [5, undefined, undefined]);
  });

  fact("a job's pods carry its name and uid, and a finalizer until they are counted", async (t) => {
    const created = await t.create<Job>(job("one", "sleep 1"));
    const labels = created.spec?.template.metadata?.labels ?? {};
    const uid = created.metadata.uid ?? "";
    assert.deepEqual(labels, {
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": "one",
      "controller-uid": uid,
      "job-name": "one",
    });
    assert.deepEqual(created.spec?.selector?.matchLabels, { "batch.kubernetes.io/controller-uid": uid });
    const [pod] = await eventually(async () => {
      const found = await podsOf(t, "one");
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(pod?.metadata.finalizers, ["batch.kubernetes.io/job-tracking"]);
    await holds(t, "one", "Complete");
    assert.deepEqual((await podsOf(t, "one"))[0]?.metadata.finalizers, undefined);
  });

  fact("what a job runs cannot be changed once it is there, but its parallelism can", async (t) => {
    await t.create(job("wide", idle, { parallelism: 1 }));
    const image = { spec: { template: { spec: { containers: [{ name: "main", image: "other" }] } } } };
    assert.match((await refusal(t.client.patch(ref(t, "wide"), "strategic", image))).message, /field is immutable$/);
    assert.match(
      (await refusal(t.client.patch(ref(t, "wide"), "merge", { spec: { completions: 3 } }))).message,
      /spec\.completions: Invalid value: 3: field is immutable$/,
    );
    await t.client.patch(ref(t, "wide"), "merge", { spec: { parallelism: 3 } });
    await eventually(async () => (await jobOf(t, "wide")).status?.active === 3);
    await t.client.patch(ref(t, "wide"), "merge", { spec: { parallelism: 1 } });
    await eventually(async () => (await jobOf(t, "wide")).status?.active === 1);
  });

  fact("a job is refused whose pods would always be started again", async (t) => {
    assert.equal(
      (await refusal(t.create(job("ever", "true", {}, { restartPolicy: "Always" })))).message,
      'Job.batch "ever" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    );
  });

  fact("backoffLimit ends a job that fails, with BackoffLimitExceeded", async (t) => {
    await t.create(job("ill", "exit 1", { backoffLimit: 0 }));
    const { reason, message } = await holds(t, "ill", "Failed");
    assert.deepEqual([reason, message], ["BackoffLimitExceeded", "Job has reached the specified backoff limit"]);
    assert.equal((await jobOf(t, "ill")).status?.failed, 1);
  });

  fact("with restartPolicy OnFailure a pod's restarts count against backoffLimit", async (t) => {
    await t.create(job("ill", "exit 1", { backoffLimit: 1 }, { restartPolicy: "OnFailure" }));
    assert.equal((await holds(t, "ill", "Failed")).reason, "BackoffLimitExceeded");
    await eventually(async () => (await podsOf(t, "ill")).length === 0);
  });

  fact("activeDeadlineSeconds ends a job and its pods", async (t) => {
    await t.create(job("late", idle, { activeDeadlineSeconds: 1 }));
    const { reason, message } = await holds(t, "late", "Failed");
    assert.deepEqual([reason, message], ["DeadlineExceeded", "Job was active longer than specified deadline"]);
    await eventually(async () => (await podsOf(t, "late")).length === 0);
  });

  fact("a suspended job has no pods until it is resumed", async (t) => {
    await t.create(job("later", "true", { suspend: true }));
    await holds(t, "later", "Suspended");
    assert.deepEqual(await t.list("v1", "Pod"), []);
    await t.client.patch(ref(t, "later"), "merge", { spec: { suspend: false } });
    await holds(t, "later", "Complete");
  });

  fact("suspending a job that runs ends its pods, and none of them counts as failed", async (t) => {
    await t.create(job("paused", idle, { backoffLimit: 0 }));
    await eventually(async () => (await jobOf(t, "paused")).status?.ready === 1);
    await t.client.patch(ref(t, "paused"), "merge", { spec: { suspend: true } });
    await holds(t, "paused", "Suspended");
    await eventually(async () => (await podsOf(t, "paused")).length === 0);
    const { status } = await jobOf(t, "paused");
    assert.deepEqual([status?.startTime, status?.failed], [undefined, undefined]);
    await t.client.patch(ref(t, "paused"), "merge", { spec: { suspend: false } });
    await eventually(async () => (await jobOf(t, "paused")).status?.ready === 1);
  });

  fact("ttlSecondsAfterFinished removes a finished job and its pods", async (t) => {
    await t.create(job("gone", "true", { ttlSecondsAfterFinished: 0 }));
    await t.kubectl.run`wait --for=delete job/gone --timeout=60s`;
    await eventually(async () => (await t.list("v1", "Pod")).length === 0);
  });

  fact("podReplacementPolicy Failed makes no other pod before the one that goes has gone", async (t) => {
    const deaf = "trap '' TERM; while :; do sleep 0.2; done";
    await t.create(
      job("one", deaf, { podReplacementPolicy: "Failed", backoffLimit: 9 }, { terminationGracePeriodSeconds: 3 }),
    );
    await eventually(async () => (await jobOf(t, "one")).status?.ready === 1);
    const [pod] = await podsOf(t, "one");
    const stop = observe(t, async () =>
      (await podsOf(t, "one")).filter(({ status }) => status?.phase !== "Failed").map(({ metadata }) => metadata.uid),
    );
    await t.kubectl.run`delete pod ${pod?.metadata.name} --wait=false`;
    await eventually(async () => (await jobOf(t, "one")).status?.terminating === 1);
    await eventually(async () => {
      const [other] = await podsOf(t, "one");
      return other !== undefined && other.metadata.uid !== pod?.metadata.uid;
    }, 60_000);
    for (const uids of await stop()) assert.ok(uids.length <= 1, uids.join());
  });
});

facts("indexed jobs", () => {
  fact("an indexed job gives each pod its index", async (t) => {
    await t.create(job("indexed", "echo $JOB_COMPLETION_INDEX $(hostname)", indexed(3)));
    await holds(t, "indexed", "Complete");
    const logs = (await t.kubectl.run`logs -l batch.kubernetes.io/job-name=indexed`).trim().split("\n").sort();
    assert.deepEqual(logs, ["0 indexed-0", "1 indexed-1", "2 indexed-2"]);
    assert.equal((await jobOf(t, "indexed")).status?.completedIndexes, "0-2");
    const pods = (await podsOf(t, "indexed")).sort((a, b) => byText(a.metadata.name, b.metadata.name));
    assert.deepEqual(
      pods.map(({ metadata }) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"]),
      ["0", "1", "2"],
    );
  });

  fact("an indexed job may grow and shrink, completions and parallelism together", async (t) => {
    await t.create(job("elastic", idle, indexed(1)));
    await t.client.patch(ref(t, "elastic"), "merge", { spec: { completions: 3, parallelism: 3 } });
    await eventually(async () => (await jobOf(t, "elastic")).status?.active === 3);
    const alone = await refusal(t.client.patch(ref(t, "elastic"), "merge", { spec: { completions: 2 } }));
    assert.match(
      alone.message,
      /spec\.completions: Invalid value: 2: can only be modified in tandem with spec\.parallelism$/,
    );
  });

  fact("backoffLimitPerIndex fails an index by itself, and the others complete", async (t) => {
    const script = '[ "$JOB_COMPLETION_INDEX" = 1 ] && exit 1; true';
    await t.create(job("each", script, indexed(3, { backoffLimitPerIndex: 0 })));
    const { reason, message } = await holds(t, "each", "Failed");
    assert.deepEqual([reason, message], ["FailedIndexes", "Job has failed indexes"]);
    const { status, spec } = await jobOf(t, "each");
    assert.deepEqual(
      [status?.completedIndexes, status?.failedIndexes, status?.succeeded, status?.failed],
      ["0,2", "1", 2, 1],
    );
    // Without a limit of its own the job has none over all of its indexes.
    assert.equal(spec?.backoffLimit, 2147483647);
  });

  fact("an index is tried anew, and its pod says how often it failed before", async (t) => {
    await t.create(job("again", "exit 1", indexed(1, { backoffLimitPerIndex: 1 })));
    const pod = await eventually(
      async () =>
        (await podsOf(t, "again")).find(
          ({ metadata }) => metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"] === "1",
        ),
      40_000,
    );
    assert.equal(pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"], "0");
    await holds(t, "again", "Failed");
    assert.deepEqual(
      [(await jobOf(t, "again")).status?.failed, (await jobOf(t, "again")).status?.failedIndexes],
      [2, "0"],
    );
  });

  fact("maxFailedIndexes ends the whole job", async (t) => {
    const script = `[ "$JOB_COMPLETION_INDEX" = 2 ] || exit 1; ${idle}`;
    await t.create(job("few", script, indexed(3, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 })));
    const { reason, message } = await holds(t, "few", "Failed");
    assert.deepEqual(
      [reason, message],
      ["MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"],
    );
    assert.equal((await jobOf(t, "few")).status?.failedIndexes, "0,1");
  });

  fact("successPolicy ends a job well once the indexes that matter have succeeded", async (t) => {
    const script = `[ "$JOB_COMPLETION_INDEX" = 0 ] && exit 0; ${idle}`;
    await t.create(job("leader", script, indexed(3, { successPolicy: { rules: [{ succeededIndexes: "0" }] } })));
    const { reason, message } = await holds(t, "leader", "Complete");
    assert.deepEqual([reason, message], ["SuccessPolicy", "Matched rules at index 0"]);
    assert.equal((await holds(t, "leader", "SuccessCriteriaMet")).reason, "SuccessPolicy");
    const { status } = await jobOf(t, "leader");
    assert.deepEqual([status?.completedIndexes, status?.active], ["0", undefined]);
  });

  fact("successPolicy may ask for so many of the indexes", async (t) => {
    const script = `[ "$JOB_COMPLETION_INDEX" -lt 2 ] && exit 0; ${idle}`;
    const rules = [{ succeededIndexes: "2" }, { succeededIndexes: "0-2", succeededCount: 2 }];
    await t.create(job("most", script, indexed(3, { successPolicy: { rules } })));
    assert.equal((await holds(t, "most", "Complete")).message, "Matched rules at index 1");
  });
});

facts("podFailurePolicy", () => {
  const onExit = (action: string, values: number[], more: object = {}) => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: "In", values } }] },
    ...more,
  });

  fact("FailJob ends the job at once, and says which container and which rule", async (t) => {
    await t.create(job("fatal", "exit 42", onExit("FailJob", [42], { backoffLimit: 6 })));
    const { reason, message } = await holds(t, "fatal", "Failed");
    const [pod] = await podsOf(t, "fatal");
    assert.deepEqual(
      [reason, message],
      [
        "PodFailurePolicy",
        `Container main for pod ${t.namespace}/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
      ],
    );
    assert.equal((await jobOf(t, "fatal")).status?.failed, 1);
  });

  fact("another exit code is counted as ever", async (t) => {
    await t.create(job("plain", "exit 3", onExit("FailJob", [42], { backoffLimit: 0 })));
    assert.equal((await holds(t, "plain", "Failed")).reason, "BackoffLimitExceeded");
  });

  fact("Ignore does not count a failure against backoffLimit", async (t) => {
    await t.create(job("again", "exit 5", onExit("Ignore", [5], { backoffLimit: 0 })));
    const pods = await eventually(async () => {
      const found = await podsOf(t, "again");
      return found.length >= 2 ? found : undefined;
    }, 60_000);
    assert.ok(pods.length >= 2);
    assert.equal((await jobOf(t, "again")).status?.failed, undefined);
  });

  fact("a pod that is evicted has the condition DisruptionTarget, which a rule may ignore", async (t) => {
    const policy = { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] };
    // It ends by SIGKILL: a job that ends well where it is asked to go has done what it was to do.
    await t.create(job("moved", "sleep 1000 & trap '' TERM; wait", { backoffLimit: 0, podFailurePolicy: policy }));
    await eventually(async () => (await jobOf(t, "moved")).status?.ready === 1);
    const [pod] = await podsOf(t, "moved");
    const name = pod?.metadata.name ?? "";
    await t.client.subresource({ apiVersion: "v1", kind: "Pod", namespace: t.namespace, name }, "eviction", "POST", {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace: t.namespace },
    });
    await eventually(async () => {
      const { status } = await jobOf(t, "moved");
      return status?.ready === 1 && (await podsOf(t, "moved")).every(({ metadata }) => metadata.name !== name);
    }, 60_000);
    assert.equal((await jobOf(t, "moved")).status?.failed, undefined);
  });

  fact("FailIndex ends one index without another try", async (t) => {
    const script = '[ "$JOB_COMPLETION_INDEX" = 1 ] && exit 42; true';
    await t.create(job("some", script, indexed(2, onExit("FailIndex", [42], { backoffLimitPerIndex: 5 }))));
    assert.equal((await holds(t, "some", "Failed")).reason, "FailedIndexes");
    const { status } = await jobOf(t, "some");
    assert.deepEqual([status?.failedIndexes, status?.completedIndexes, status?.failed], ["1", "0", 1]);
  });

  fact("a policy asks for pods that are not started again in place", async (t) => {
    const wrong = job("wrong", "true", onExit("FailJob", [1]), { restartPolicy: "OnFailure" });
    assert.match(
      (await refusal(t.create(wrong))).message,
      /spec\.template\.spec\.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified$/,
    );
    const zero = job("zero", "true", onExit("FailJob", [0]));
    assert.match(
      (await refusal(t.create(zero))).message,
      /spec\.podFailurePolicy\.rules\[0\]\.onExitCodes\.values\[0\]: Invalid value: 0: must not be 0 for the In operator$/,
    );
  });
});
