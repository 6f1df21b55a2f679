import { messageOf } from "@dhow/base";
import {
  type CronJob,
  type CronJobStatus,
  deepEqual,
  isStatusError,
  type Job,
  type ObjectReference,
  refOf,
} from "@dhow/kube";
import { findCondition } from "./conditions.ts";
import { missedTimes, nextTime, parseSchedule, type Schedule } from "./cron/schedule.ts";
import { isFinished } from "./job/conditions.ts";
import { kinds } from "./kinds.ts";
import type { EventRecorder } from "./manager/events.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import {
  byCreation,
  controllerOf,
  controllerReference,
  isDeleting,
  keyOf,
  millisecondsOf,
  nameOf,
  namespaceOf,
  splitKey,
  timestamp,
  uidOf,
} from "./objects.ts";
import { OwnedIndex, ownershipKeys } from "./owned-pods.ts";

/** Starts Jobs by the clock (pkg/controller/cronjob/cronjob_controllerv2.go). */
export const cronjob: Controller = {
  name: "cronjob",
  start(manager) {
    const recorder = manager.recorder("cronjob-controller");
    const cronJobs = manager.informer(kinds.cronJob);
    const jobs = new OwnedIndex(manager.index(kinds.job, "owner", ownershipKeys));
    const queue = manager.queue("cronjob", { reconcile: (key) => reconcile(manager, recorder, jobs, key) });
    cronJobs.onChange((cronJob, old) => queue.add(keyOf((cronJob ?? old) as CronJob)));
    manager.informer(kinds.job).onChange((job, old) => {
      const owner = controllerOf((job ?? old) as Job);
      if (owner?.kind === "CronJob") queue.add(`${namespaceOf((job ?? old) as Job)}/${owner.name}`);
    });
  },
};

async function reconcile(
  manager: Manager,
  recorder: EventRecorder,
  index: OwnedIndex<Job>,
  key: string,
): Promise<number | void> {
  const { namespace, name } = splitKey(key);
  const cronJob = manager.informer(kinds.cronJob).get(namespace, name);
  if (!cronJob) return;
  const jobs = index.ownedBy(cronJob).sort(byCreation);
  const status = trackActive(recorder, cronJob, jobs);
  await trimHistory(manager, recorder, cronJob, jobs);
  const wait =
    isDeleting(cronJob) || cronJob.spec?.suspend ? undefined : await start(manager, recorder, cronJob, jobs, status);
  if (!deepEqual(cronJob.status ?? {}, status)) await manager.client.updateStatus<CronJob>({ ...cronJob, status });
  return wait;
}

function trackActive(recorder: EventRecorder, cronJob: CronJob, jobs: readonly Job[]): CronJobStatus {
  const { active: before = [], ...status }: CronJobStatus = { ...cronJob.status };
  for (const job of jobs.filter(isFinished)) {
    if (!before.some(({ uid }) => uid === uidOf(job))) continue;
    const condition = findCondition(job.status?.conditions, "Complete")?.status === "True" ? "Complete" : "Failed";
    recorder.event(cronJob, "Normal", "SawCompletedJob", `Saw completed job: ${nameOf(job)}, condition: ${condition}`);
    const done = job.status?.completionTime;
    if (done && millisecondsOf(done) > millisecondsOf(status.lastSuccessfulTime)) status.lastSuccessfulTime = done;
  }
  const active = jobs.filter((job) => !isFinished(job)).map(reference);
  return active.length > 0 ? { ...status, active } : status;
}

function reference(job: Job): ObjectReference {
  const { resourceVersion } = job.metadata;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    name: nameOf(job),
    namespace: namespaceOf(job),
    uid: uidOf(job),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

/** Starts what is due; gives the milliseconds until the next time. */
async function start(
  manager: Manager,
  recorder: EventRecorder,
  cronJob: CronJob,
  jobs: readonly Job[],
  status: CronJobStatus,
): Promise<number | undefined> {
  const now = manager.clock.now();
  const { timeZone, startingDeadlineSeconds } = cronJob.spec ?? {};
  const text = cronJob.spec?.schedule ?? "";
  let schedule: Schedule;
  try {
    schedule = parseSchedule(text);
    nextTime(schedule, now, timeZone);
  } catch (error) {
    recorder.event(
      cronJob,
      "Warning",
      "UnparseableSchedule",
      `unparseable schedule: ${JSON.stringify(text)} : ${messageOf(error)}`,
    );
    return undefined;
  }
  const next = nextTime(schedule, now, timeZone);
  const wait = next === undefined ? undefined : next - now + 100;
  let earliest = millisecondsOf(status.lastScheduleTime ?? cronJob.metadata.creationTimestamp);
  if (startingDeadlineSeconds !== undefined) earliest = Math.max(earliest, now - startingDeadlineSeconds * 1000);
  const { latest, count } = missedTimes(schedule, earliest, now, timeZone);
  if (latest === undefined) return wait;
  if (count > 100) {
    recorder.event(
      cronJob,
      "Warning",
      "TooManyMissedTimes",
      `too many missed start times: ${count}. Set or decrease .spec.startingDeadlineSeconds or check clock skew`,
    );
  }
  const active = jobs.filter((job) => !isFinished(job));
  if (active.some((job) => nameOf(job) === jobName(cronJob, latest))) return wait;
  if (cronJob.spec?.concurrencyPolicy === "Forbid" && active.length > 0) {
    recorder.event(
      cronJob,
      "Normal",
      "JobAlreadyActive",
      "Not starting job because prior execution is running and concurrency policy is Forbid",
    );
    return wait;
  }
  if (cronJob.spec?.concurrencyPolicy === "Replace")
    for (const job of active) await remove(manager, recorder, cronJob, job);
  await create(manager, recorder, cronJob, latest, status);
  return wait;
}

/** The same time gives the same name, so that no time is started twice. */
function jobName(cronJob: CronJob, time: number): string {
  return `${nameOf(cronJob)}-${Math.floor(time / 60_000)}`;
}

async function create(
  manager: Manager,
  recorder: EventRecorder,
  cronJob: CronJob,
  time: number,
  status: CronJobStatus,
): Promise<void> {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  const job: Job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: jobName(cronJob, time),
      namespace: namespaceOf(cronJob),
      ...(metadata?.labels ? { labels: metadata.labels } : {}),
      annotations: {
        ...metadata?.annotations,
        "batch.kubernetes.io/cronjob-scheduled-timestamp": timestamp(manager.clock, time),
      },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec: spec ?? { template: {} },
  };
  try {
    const created = await manager.client.create(job);
    recorder.event(cronJob, "Normal", "SuccessfulCreate", `Created job ${nameOf(created)}`);
    status.active = [...(status.active ?? []), reference(created)];
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) {
      recorder.event(cronJob, "Warning", "FailedCreate", `Error creating job: ${messageOf(error)}`);
      throw error;
    }
  }
  status.lastScheduleTime = timestamp(manager.clock, time);
}

async function remove(manager: Manager, recorder: EventRecorder, cronJob: CronJob, job: Job): Promise<void> {
  try {
    await manager.client.delete(refOf(job), { propagationPolicy: "Background" });
    recorder.event(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${nameOf(job)}`);
  } catch (error) {
    if (!isStatusError(error, "NotFound")) throw error;
  }
}

async function trimHistory(
  manager: Manager,
  recorder: EventRecorder,
  cronJob: CronJob,
  jobs: readonly Job[],
): Promise<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const ended = (type: string) =>
    jobs.filter((job) => findCondition(job.status?.conditions, type)?.status === "True" && !isDeleting(job));
  for (const [type, limit] of [
    ["Complete", successfulJobsHistoryLimit ?? 3],
    ["Failed", failedJobsHistoryLimit ?? 1],
  ] as const) {
    const finished = ended(type);
    for (const job of finished.slice(0, Math.max(finished.length - limit, 0)))
      await remove(manager, recorder, cronJob, job);
  }
}
