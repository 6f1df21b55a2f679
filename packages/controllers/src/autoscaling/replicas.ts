/**
 * How many replicas a metric asks for (pkg/controller/podautoscaler/replica_calculator.go), on plain numbers. Amounts are in one unit:
 * thousandths of a CPU, bytes.
 */

export interface MeasuredPod {
  readonly name: string;
  readonly phase: string;
  readonly deleting: boolean;
  readonly startTime: number | undefined;
  readonly ready: { readonly status: boolean; readonly since: number } | undefined;
  /** Undefined where a container asks for nothing. */
  readonly request: number | undefined;
}

export interface Sample {
  readonly value: number;
  readonly at: number;
  /** Milliseconds over which it was measured. */
  readonly window: number;
}

export interface Tolerance {
  readonly up: number;
  readonly down: number;
}

export interface MetricQuestion {
  readonly current: number;
  readonly pods: readonly MeasuredPod[];
  readonly samples: ReadonlyMap<string, Sample>;
  /** Percent of the request, or an amount a pod. */
  readonly target: { readonly utilization: number } | { readonly average: number };
  readonly isCpu: boolean;
  readonly tolerance: Tolerance;
  readonly now: number;
}

export interface MetricAnswer {
  readonly replicas: number;
  /** Percent of the requests, where those count. */
  readonly utilization: number | undefined;
  readonly average: number;
}

/** While a pod is this young its CPU says more about its start than about its work (--horizontal-pod-autoscaler-cpu-initialization-period). */
const cpuInitialization = 5 * 60_000;
/** --horizontal-pod-autoscaler-initial-readiness-delay */
const initialReadiness = 30_000;

interface Groups {
  ready: number;
  readonly unready: Set<string>;
  readonly missing: Set<string>;
  readonly ignored: Set<string>;
}

/** Which pods' samples count (groupPods). */
export function groupPods(
  pods: readonly MeasuredPod[],
  samples: ReadonlyMap<string, Sample>,
  isCpu: boolean,
  now: number,
): Groups {
  const groups: Groups = { ready: 0, unready: new Set(), missing: new Set(), ignored: new Set() };
  for (const pod of pods) {
    const sample = samples.get(pod.name);
    if (pod.deleting || pod.phase === "Failed") groups.ignored.add(pod.name);
    else if (pod.phase === "Pending") groups.unready.add(pod.name);
    else if (!sample) groups.missing.add(pod.name);
    else if (isCpu && isUnready(pod, sample, now)) groups.unready.add(pod.name);
    else groups.ready++;
  }
  return groups;
}

function isUnready({ ready, startTime }: MeasuredPod, sample: Sample, now: number): boolean {
  if (!ready || startTime === undefined) return true;
  if (startTime + cpuInitialization > now) return !ready.status || sample.at < ready.since + sample.window;
  // It was never ready: its condition has not changed since shortly after its start.
  return !ready.status && startTime + initialReadiness > ready.since;
}

export function withinTolerance(ratio: number, { up, down }: Tolerance): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

function measure(
  question: MetricQuestion,
  values: ReadonlyMap<string, number>,
): { ratio: number; answer: Omit<MetricAnswer, "replicas"> } {
  let used = 0;
  let requested = 0;
  let entries = 0;
  for (const pod of question.pods) {
    const value = values.get(pod.name);
    if (value === undefined) continue;
    used += value;
    requested += pod.request ?? 0;
    entries++;
  }
  const average = entries === 0 ? 0 : Math.trunc(used / entries);
  if ("average" in question.target)
    return { ratio: average / question.target.average, answer: { utilization: undefined, average } };
  if (requested === 0) throw new Error("no metrics returned matched known pods");
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / question.target.utilization, answer: { utilization, average } };
}

/** Throws an Error in the words of the real controller where nothing can be said. */
export function replicasFor(question: MetricQuestion): MetricAnswer {
  const { current, pods, samples, target, tolerance } = question;
  if (pods.length === 0) throw new Error("no pods returned by selector while calculating replica count");
  const { ready, unready, missing, ignored } = groupPods(pods, samples, question.isCpu, question.now);
  const values = new Map<string, number>();
  for (const [name, { value }] of samples) {
    if (!unready.has(name) && !ignored.has(name) && pods.some((pod) => pod.name === name)) values.set(name, value);
  }
  if (values.size === 0) throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  const { ratio, answer } = measure(question, values);
  const growsWithUnready = unready.size > 0 && ratio > 1;
  if (!growsWithUnready && missing.size === 0) {
    if (withinTolerance(ratio, tolerance)) return { ...answer, replicas: current };
    return { ...answer, replicas: Math.ceil(ratio * ready) };
  }
  // What is not known is assumed to be what makes the change smaller.
  for (const pod of pods) {
    if (missing.has(pod.name) && ratio !== 1) values.set(pod.name, ratio < 1 ? assumed(target, pod) : 0);
    if (growsWithUnready && unready.has(pod.name)) values.set(pod.name, 0);
  }
  const again = measure(question, values).ratio;
  const turned = (ratio < 1 && again > 1) || (ratio > 1 && again < 1);
  if (withinTolerance(again, tolerance) || turned) return { ...answer, replicas: current };
  const replicas = Math.ceil(again * values.size);
  if ((again < 1 && replicas > current) || (again > 1 && replicas < current)) return { ...answer, replicas: current };
  return { ...answer, replicas };
}

function assumed(target: MetricQuestion["target"], pod: MeasuredPod): number {
  if ("average" in target) return target.average;
  return ((pod.request ?? 0) * Math.max(100, target.utilization)) / 100;
}
