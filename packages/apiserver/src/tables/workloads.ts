import {
  type ControllerRevision,
  type CronJob,
  type DaemonSet,
  type Deployment,
  type Job,
  parseApiVersion,
  type ReplicaSet,
  type StatefulSet,
} from "@dhow/kube";
import { booleanCell, containerCells, labelsCell, none, selectorCell, selectorText } from "./cells.ts";
import { ageColumn, type Column, column, nameColumn, table, wide } from "./definition.ts";
import { humanDuration, since } from "./duration.ts";

const containers: readonly Column[] = [wide("Containers"), wide("Images")];
const containersAndSelector: readonly Column[] = [...containers, wide("Selector", "Labels of the pods.")];
const desired = column("Desired", "integer", "Pods that there should be.");
const current = column("Current", "integer", "Pods that there are.");
const ready = column("Ready", "integer", "Pods that are ready.");
const readyOfAll = column("Ready", "string", "Pods that are ready, of all.");

const deployments = table<Deployment>({
  columns: [
    nameColumn,
    readyOfAll,
    column("Up-to-date", "string", "Pods of the newest template."),
    column("Available", "string", "Pods that have been ready for long enough."),
    ageColumn,
    ...containersAndSelector,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    since(metadata.creationTimestamp, now),
    ...containerCells(spec.template.spec?.containers),
    selectorText(spec.selector),
  ],
});

const replicaSets = table<ReplicaSet>({
  columns: [nameColumn, desired, current, ready, ageColumn, ...containersAndSelector],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    since(metadata.creationTimestamp, now),
    ...containerCells(spec.template?.spec?.containers),
    selectorCell(spec.selector),
  ],
});

const statefulSets = table<StatefulSet>({
  columns: [nameColumn, readyOfAll, ageColumn, ...containers],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    since(metadata.creationTimestamp, now),
    ...containerCells(spec.template.spec?.containers),
  ],
});

const daemonSets = table<DaemonSet>({
  columns: [
    nameColumn,
    desired,
    current,
    ready,
    column("Up-to-date", "integer", "Pods of the newest template."),
    column("Available", "integer", "Pods that have been ready for long enough."),
    column("Node Selector", "string", "Labels of the nodes."),
    ageColumn,
    ...containersAndSelector,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    labelsCell(spec.template.spec?.nodeSelector),
    since(metadata.creationTimestamp, now),
    ...containerCells(spec.template.spec?.containers),
    selectorCell(spec.selector),
  ],
});

const controllerRevisions = table<ControllerRevision>({
  columns: [nameColumn, column("Controller"), column("Revision"), ageColumn],
  cells: ({ metadata, revision }, now) => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller);
    const group = owner && parseApiVersion(owner.apiVersion).group;
    const kind = owner && (group ? `${owner.kind}.${group}` : owner.kind).toLowerCase();
    return [
      metadata.name ?? "",
      owner ? `${kind}/${owner.name}` : none,
      revision,
      since(metadata.creationTimestamp, now),
    ];
  },
});

const jobs = table<Job>({
  columns: [
    nameColumn,
    column("Status"),
    column("Completions", "string", "Pods that succeeded, of all that must."),
    column("Duration", "string", "How long the job ran, or has run so far."),
    ageColumn,
    ...containersAndSelector,
  ],
  cells: (job, now) => [
    job.metadata.name ?? "",
    jobStatus(job),
    jobCompletions(job),
    jobDuration(job, now),
    since(job.metadata.creationTimestamp, now),
    ...containerCells(job.spec.template.spec?.containers),
    selectorCell(job.spec.selector),
  ],
});

/** Conditions that name the status, the strongest first; a job that is being deleted comes after the first two. */
const endedConditions = ["Complete", "Failed"];
const openConditions = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];

function jobStatus({ metadata, status }: Job): string {
  const holds = (type: string) => status?.conditions?.find((one) => one.type === type)?.status === "True";
  const ended = endedConditions.find(holds);
  if (ended) return ended;
  if (metadata.deletionTimestamp) return "Terminating";
  return openConditions.find(holds) ?? "Running";
}

function jobCompletions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration({ status }: Job, now: number): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

const cronJobs = table<CronJob>({
  columns: [
    nameColumn,
    column("Schedule"),
    column("Timezone"),
    column("Suspend", "boolean"),
    column("Active", "integer", "Jobs that are running."),
    column("Last Schedule", "string", "How long ago a job was started."),
    ageColumn,
    ...containersAndSelector,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec.schedule,
    spec.timeZone ?? none,
    booleanCell(spec.suspend),
    status?.active?.length ?? 0,
    status?.lastScheduleTime ? since(status.lastScheduleTime, now) : none,
    since(metadata.creationTimestamp, now),
    ...containerCells(spec.jobTemplate.spec?.template.spec?.containers),
    selectorCell(spec.jobTemplate.spec?.selector),
  ],
});

export const workloadTables = {
  "deployments.apps": deployments,
  "replicasets.apps": replicaSets,
  "statefulsets.apps": statefulSets,
  "daemonsets.apps": daemonSets,
  "controllerrevisions.apps": controllerRevisions,
  "jobs.batch": jobs,
  "cronjobs.batch": cronJobs,
} as const;
