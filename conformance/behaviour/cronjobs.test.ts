import assert from "node:assert/strict";
import type { CronJob, Job } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, refusal, shell, type Trial } from "../fact.ts";

/** The time some minutes ago, and the schedule that has it once a day: what was missed is made up for at once, so nobody waits for a minute to come. */
const ago = (minutes: number) => new Date(Math.floor(Date.now() / 60_000 - minutes) * 60_000);
const at = (time: Date) => `${time.getUTCMinutes()} ${time.getUTCHours()} * * *`;
const stamp = (time: Date) => time.toISOString().replace(".000Z", "Z");

const cronjob = (script: string, spec: object = {}, name = "clock") => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name },
  spec: {
    schedule: at(ago(40)),
    timeZone: "Etc/UTC",
    jobTemplate: {
      metadata: { labels: { from: name } },
      spec: {
        template: { spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 1, containers: [shell(script)] } },
      },
    },
    ...spec,
  },
});
const ref = (t: Trial) => ({ apiVersion: "batch/v1", kind: "CronJob", namespace: t.namespace, name: "clock" });
const jobsOf = (t: Trial) => t.list<Job>("batch/v1", "Job", "from=clock");

/** Says that it ran last some minutes ago. */
function ranLast(t: Trial, minutes: number) {
  return t.client.patch(
    ref(t),
    "merge",
    { status: { lastScheduleTime: stamp(ago(minutes)) } },
    { subresource: "status" },
  );
}

async function jobs(t: Trial, count: number): Promise<Job[]> {
  return eventually(async () => {
    const found = await jobsOf(t);
    return found.length === count ? found : undefined;
  }, 40_000);
}

facts("CronJob", () => {
  fact("of the times that were missed the last is made up for, by a job named after its minute", async (t) => {
    const time = ago(40);
    await t.create(cronjob("true", { schedule: at(time) }));
    await ranLast(t, 3 * 24 * 60);
    const [made] = await jobs(t, 1);
    assert.equal(made?.metadata.name, `clock-${time.getTime() / 60_000}`);
    assert.equal(made?.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"], stamp(time));
    assert.deepEqual(
      made?.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
      [["CronJob", "clock", true]],
    );
    const { status } = await eventually(async () => {
      const found = await t.get<CronJob>("batch/v1", "CronJob", "clock");
      return found.status?.lastSuccessfulTime && !found.status.active ? found : undefined;
    }, 40_000);
    assert.equal(status?.lastScheduleTime, stamp(time));
  });

  fact("a suspended cron job starts nothing", async (t) => {
    await t.create(cronjob("true", { suspend: true }));
    await ranLast(t, 60);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.deepEqual(await jobsOf(t), []);
    await t.client.patch(ref(t), "merge", { spec: { suspend: false } });
    await jobs(t, 1);
  });

  /** Has one job running, and then the time for another come. */
  async function another(t: Trial, concurrencyPolicy: string): Promise<string | undefined> {
    await t.create(cronjob(idle, { concurrencyPolicy }));
    await ranLast(t, 60);
    const [first] = await jobs(t, 1);
    await eventually(async () => (await t.get<CronJob>("batch/v1", "CronJob", "clock")).status?.active?.length === 1);
    await t.client.patch(ref(t), "merge", { spec: { schedule: at(ago(20)) } });
    return first?.metadata.uid;
  }

  fact("concurrencyPolicy Allow starts a job beside what still runs", async (t) => {
    await another(t, "Allow");
    await jobs(t, 2);
    await eventually(async () => (await t.get<CronJob>("batch/v1", "CronJob", "clock")).status?.active?.length === 2);
  });

  fact("concurrencyPolicy Forbid starts nothing beside what still runs, and says so", async (t) => {
    const first = await another(t, "Forbid");
    await eventually(async () => /JobAlreadyActive/.test(await t.kubectl.run`events --for cronjob/clock`));
    assert.deepEqual(
      (await jobsOf(t)).map(({ metadata }) => metadata.uid),
      [first],
    );
  });

  fact("concurrencyPolicy Replace ends what still runs for the new", async (t) => {
    const first = await another(t, "Replace");
    await eventually(async () => {
      const uids = (await jobsOf(t)).map(({ metadata }) => metadata.uid);
      return uids.length === 1 && uids[0] !== first;
    }, 40_000);
  });

  fact("startingDeadlineSeconds lets a time that is too long ago pass", async (t) => {
    await t.create(cronjob("true", { startingDeadlineSeconds: 60 }));
    await ranLast(t, 60);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.deepEqual(await jobsOf(t), []);
    await t.client.patch(ref(t), "merge", { spec: { startingDeadlineSeconds: 3600 } });
    await jobs(t, 1);
  });

  fact("of finished jobs so many are kept as the history limits say", async (t) => {
    await t.create(cronjob("true", { suspend: true, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }));
    for (const name of ["a", "b", "c"]) await t.kubectl.run`create job ${name} --from=cronjob/clock`;
    await eventually(async () => {
      const left = await t.list<Job>("batch/v1", "Job");
      return left.length === 1 && left[0]?.status?.succeeded === 1;
    }, 60_000);
  });

  fact("a schedule, a time zone and a name that cannot be are refused", async (t) => {
    const said = async (spec: object, name = "clock") => (await refusal(t.create(cronjob("true", spec, name)))).message;
    assert.match(
      await said({ schedule: "61 * * * *" }),
      /spec\.schedule: Invalid value: "61 \* \* \* \*": end of range \(61\) above maximum \(59\): 61$/,
    );
    assert.match(
      await said({ schedule: "* * *" }),
      /spec\.schedule: Invalid value: "\* \* \*": expected exactly 5 fields, found 3: \[\* \* \*\]$/,
    );
    assert.match(
      await said({ timeZone: "Mars/Olympus" }),
      /spec\.timeZone: Invalid value: "Mars\/Olympus": unknown time zone Mars\/Olympus$/,
    );
    assert.match(
      await said({ schedule: "TZ=UTC 0 0 * * *" }),
      /spec\.schedule: Invalid value: "TZ=UTC 0 0 \* \* \*": cannot use TZ or CRON_TZ in schedule, use timeZone field instead$/,
    );
    assert.match(
      await said({}, "c".repeat(53)),
      /metadata\.name: Invalid value: "c{53}": must be no more than 52 characters$/,
    );
  });

  fact("macros and names are schedules too", async (t) => {
    let count = 0;
    for (const schedule of ["@hourly", "@weekly", "0 0 * JAN MON-FRI", "*/5 8-18/2 1,15 * *", "@every 1h30m"]) {
      const name = `c-${(count += 1)}`;
      assert.equal((await t.create<CronJob>(cronjob("true", { schedule }, name))).spec?.schedule, schedule);
    }
  });
});
