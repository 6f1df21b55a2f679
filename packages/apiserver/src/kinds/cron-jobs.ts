import { type CronJob, type FieldFault, fieldFault } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { nonNegative } from "../validation/metadata.ts";
import { subdomainName } from "../validation/names.ts";
import { jobSpecFaults } from "./jobs.ts";
import { defaultPodSpec } from "./pod/defaults.ts";

// pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation/validation.go

const { invalid, notSupported, required } = fieldFault;

/** Names of its jobs end in a time, for which eleven characters are kept. */
export const cronJobs: Strategy = {
  hasGeneration: true,
  nameRule: (name, prefix) => [
    ...subdomainName(name, prefix),
    ...(!prefix && name.length > 52 ? ["must be no more than 52 characters"] : []),
  ],
  applyDefaults(object) {
    const { spec } = object as CronJob;
    if (!spec) return;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    if (spec.jobTemplate?.spec?.template?.spec) defaultPodSpec(spec.jobTemplate.spec.template.spec);
  },
  validate: (object) => [...cronJobFaults(object as CronJob)],
};

function* cronJobFaults({ spec }: CronJob): Generator<FieldFault> {
  const schedule = spec?.schedule ?? "";
  if (!schedule) yield required("spec.schedule");
  else {
    const message = schedule.includes("TZ")
      ? "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
      : scheduleFault(schedule);
    if (message) yield invalid("spec.schedule", schedule, message);
  }
  yield* nonNegative(spec?.startingDeadlineSeconds, "spec.startingDeadlineSeconds");
  const policy = spec?.concurrencyPolicy;
  const policies = ["Allow", "Forbid", "Replace"];
  if (!policy) yield required("spec.concurrencyPolicy");
  else if (!policies.includes(policy)) yield notSupported("spec.concurrencyPolicy", policy, policies);
  yield* nonNegative(spec?.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit");
  yield* nonNegative(spec?.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit");
  const zone = spec?.timeZone;
  if (zone !== undefined && !isTimeZone(zone)) yield invalid("spec.timeZone", zone, `unknown time zone ${zone}`);
  if (spec?.jobTemplate?.spec) yield* jobSpecFaults(spec.jobTemplate.spec, "spec.jobTemplate.spec");
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const ranges: readonly (readonly [number, number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
];
const words = new Map(
  ["jan feb mar apr may jun jul aug sep oct nov dec", "sun mon tue wed thu fri sat"].flatMap((list, kind) =>
    list.split(" ").map((word, index): [string, number] => [word, kind === 0 ? index + 1 : index]),
  ),
);

/** What is wrong with a schedule, in the words of the parser that Kubernetes uses (github.com/robfig/cron). */
export function scheduleFault(schedule: string): string | undefined {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(schedule)) return undefined;
  if (/^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(schedule)) return undefined;
  if (schedule.startsWith("@")) return `unrecognized descriptor: ${schedule}`;
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`;
  for (const [index, field] of fields.entries()) {
    const [low, high] = ranges[index] ?? [0, 0];
    for (const part of field.split(",")) {
      const fault = partFault(part, low, high);
      if (fault) return fault;
    }
  }
  return undefined;
}

function partFault(part: string, low: number, high: number): string | undefined {
  const [range = "", step, ...rest] = part.split("/");
  if (rest.length > 0) return `too many slashes: ${part}`;
  const ends = range === "*" || range === "?" ? [String(low), String(high)] : range.split("-");
  if (ends.length > 2) return `too many hyphens: ${part}`;
  for (const text of [...ends, ...(step === undefined ? [] : [step])]) {
    if (numberOf(text) === undefined) {
      return `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`;
    }
  }
  const start = numberOf(ends[0] ?? "") ?? 0;
  const end = numberOf(ends[1] ?? "") ?? (step === undefined ? start : high);
  if (start < low) return `beginning of range (${start}) below minimum (${low}): ${part}`;
  if (end > high) return `end of range (${end}) above maximum (${high}): ${part}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`;
  return step !== undefined && Number(step) === 0 ? `step of range should be a positive number: ${part}` : undefined;
}

function numberOf(text: string): number | undefined {
  return words.get(text.toLowerCase()) ?? (/^\d+$/.test(text) ? Number(text) : undefined);
}
