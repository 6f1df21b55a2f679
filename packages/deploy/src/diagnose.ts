import type { Container, ContainerStatus, KubeClient, Pod } from "@dhow/kube";
import { readText } from "@dhow/kube";
import type { WorkloadProgress } from "./workloads.ts";

/** Why a workload is not ready, for the person who can mend it. */
export interface Diagnosis {
  /** One line: `exits with 1, third time`. */
  readonly summary: string;
  readonly pod: string;
  /** Whether waiting alone will not help. */
  readonly failed: boolean;
  /** The last lines that the guilty container said. */
  readonly log: readonly string[];
  /** What to write or do instead, where that can be told. */
  readonly instead: string | undefined;
}

/** What came before does not count: the run that is looked at, not what an earlier one left. */
export interface DiagnosisScope {
  readonly client: KubeClient;
  readonly now: number;
  /** When the run began, in milliseconds; how a container ended before does not count. */
  readonly since: number;
  /** How often a container had been started again when the run began. */
  restartsBefore(pod: Pod, container: string): number;
}

/** How many lines of a log are shown, and how many are read for them. */
const logLines = { shown: 8, read: 40 };
const ordinals = ["", "once", "twice", "third time", "fourth time", "fifth time"];

/** How long a pod may wait for a node, or a program take to listen, before that counts as a fault (milliseconds). */
const patience = 10_000;

/** Looks at the newest pod of a workload that is not ready. Undefined while nothing is wrong yet. */
export async function diagnose(scope: DiagnosisScope, workload: WorkloadProgress): Promise<Diagnosis | undefined> {
  for (const pod of workload.pods) {
    const found = unscheduled(pod, scope.now) ?? (await guiltyContainer(scope, pod)) ?? (await deaf(scope, pod));
    if (found) return found;
  }
  return undefined;
}

function unscheduled(pod: Pod, now: number): Diagnosis | undefined {
  if (now - Date.parse(pod.metadata.creationTimestamp ?? "") < patience) return undefined;
  const condition = pod.status?.conditions?.find((each) => each.type === "PodScheduled" && each.status === "False");
  if (condition?.reason !== "Unschedulable") return undefined;
  return {
    summary: `fits on no node: ${condition.message}`,
    pod: nameOf(pod),
    failed: true,
    log: [],
    instead: "smaller resources.requests, or fewer replicas",
  };
}

async function guiltyContainer(scope: DiagnosisScope, pod: Pod): Promise<Diagnosis | undefined> {
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const waiting = status.state?.waiting;
    const unstarted = [status.state?.terminated, status.lastState?.terminated].find(
      (each) => each?.reason === "StartError",
    );
    if (unstarted) {
      const summary = `cannot be started: ${unstarted.message}`;
      const missing = unstarted.message?.startsWith("exec: ");
      const instead = missing ? "a command whose program the image has" : undefined;
      return { summary, pod: nameOf(pod), failed: true, log: [], instead };
    }
    if (/^(ErrImage|ImagePull|InvalidImage|CreateContainer|RunContainer)|NotSupported$/.test(waiting?.reason ?? "")) {
      const summary = `${waiting?.reason}: ${waiting?.message ?? ""}`;
      return { summary, pod: nameOf(pod), failed: true, log: [], instead: undefined };
    }
    const times = timesEnded(scope, pod, status);
    const ended = status.state?.terminated ?? status.lastState?.terminated;
    // How a container ended that nobody watched is unknown: it is the cluster's end, not the program's.
    if (
      !ended ||
      ended.reason === "Unknown" ||
      times === 0 ||
      !(Date.parse(ended.finishedAt ?? "") >= scope.since) ||
      // A restart that was asked for ends well, and nothing waits for another try.
      (ended.exitCode === 0 && waiting?.reason !== "CrashLoopBackOff")
    )
      continue;
    return killedByProbe(ended) ? silent(scope, pod, status, true) : crashed(scope, pod, status, times);
  }
  return undefined;
}

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** How often a container has ended in this run. */
function timesEnded(scope: DiagnosisScope, pod: Pod, status: ContainerStatus): number {
  return (status.restartCount ?? 0) - scope.restartsBefore(pod, status.name) + (status.state?.terminated ? 1 : 0);
}

/** SIGTERM or SIGKILL, and not for its memory: a kubelet ended it because its liveness probe failed. */
function killedByProbe(ended: Terminated): boolean {
  return (ended.exitCode === 143 || ended.exitCode === 137) && ended.reason !== "OOMKilled";
}

async function crashed(scope: DiagnosisScope, pod: Pod, status: ContainerStatus, times: number): Promise<Diagnosis> {
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  const outOfMemory = ended?.reason === "OOMKilled";
  const how = outOfMemory ? "needed more memory than its limit (OOMKilled)" : `exits with ${ended?.exitCode}`;
  return {
    summary: `${how}, ${ordinals[times] ?? `${times} times`}`,
    pod: nameOf(pod),
    failed: times >= 2,
    log: await lastLines(scope.client, pod, status.name, status.state?.terminated === undefined),
    instead: outOfMemory ? "a larger resources.limits.memory" : ended?.exitCode === 127 ? programMissing : undefined,
  };
}

/** What a shell's exit code 127 means (POSIX, 2.8.2). */
const programMissing = "a program that this machine has: install what the log names, or change run in system.ts";

/** A program that has run for a while and is not ready. */
async function deaf(scope: DiagnosisScope, pod: Pod): Promise<Diagnosis | undefined> {
  const status = pod.status?.containerStatuses?.find((each) => each.state?.running && !each.ready);
  const probe = pod.spec?.containers.find((each) => each.name === status?.name)?.readinessProbe;
  const startedAt = Date.parse(status?.state?.running?.startedAt ?? "");
  const due = startedAt + patience + (probe?.initialDelaySeconds ?? 0) * 1000;
  // Shown when it is late, a fault when it is twice as late: machines are slow, and others may be waited for.
  return status && probe && scope.now >= due ? silent(scope, pod, status, scope.now >= due + patience) : undefined;
}

/** A program that does not answer where its probe asks: it listens elsewhere, or nowhere, or is not ready. */
async function silent(
  { client }: DiagnosisScope,
  pod: Pod,
  status: ContainerStatus,
  failed: boolean,
): Promise<Diagnosis | undefined> {
  const container = pod.spec?.containers.find((each) => each.name === status.name);
  if (!container) return undefined;
  const wanted = probedPort(container);
  const listeners = await listenersOf(client, pod);
  const said = await lastLines(client, pod, status.name, false);
  // A probe may have had it started again a moment ago.
  const log = said.length === 0 && status.restartCount > 0 ? await lastLines(client, pod, status.name, true) : said;
  const common = { pod: nameOf(pod), failed, log };
  const variable = `the port in the environment variable PORT (${wanted}), on all addresses`;
  if (listeners === undefined || listeners.ports.includes(wanted)) {
    const path = container.readinessProbe?.httpGet?.path;
    if (!path) return { ...common, summary: `listens on ${wanted}, but is not ready`, instead: undefined };
    const instead = `an answer to GET ${path} on port ${wanted}, or health: "<another path>"`;
    return { ...common, summary: `does not answer GET ${path} on port ${wanted} with 200`, instead };
  }
  const summary = `listens ${placesOf(listeners)}; expected on port ${wanted}`;
  const [other] = listeners.ports;
  const instead = `${other === undefined ? "" : `port: ${other} in system.ts, or `}listen on ${variable}`;
  return { ...common, summary, instead };
}

function probedPort(container: Container): number {
  const port = container.readinessProbe?.httpGet?.port ?? container.readinessProbe?.tcpSocket?.port;
  const named = container.ports?.find((each) => each.name === port)?.containerPort;
  return named ?? Number(port ?? container.ports?.[0]?.containerPort ?? 0);
}

/** TCP ports that a pod's programs listen on: for others, and for itself alone. */
interface Listeners {
  readonly ports: readonly number[];
  readonly loopbackPorts?: readonly number[];
}

function placesOf({ ports, loopbackPorts = [] }: Listeners): string {
  const places = [
    ...ports.map(String),
    ...loopbackPorts.map((port) => `127.0.0.1:${port}, where only the pod reaches it`),
  ];
  return places.length === 0 ? "nowhere" : `on ${places.join(", ")}`;
}

/** As the pod's kubelet sees them; undefined where it does not tell. */
async function listenersOf(client: KubeClient, pod: Pod): Promise<Listeners | undefined> {
  const path = `/api/v1/nodes/${pod.spec?.nodeName}/proxy/listeners/${pod.metadata.namespace}/${nameOf(pod)}`;
  const answer = await client.raw({ method: "GET", path, headers: {} });
  const text = await readText(answer.body);
  return answer.status === 200 ? (JSON.parse(text) as Listeners) : undefined;
}

async function lastLines(client: KubeClient, pod: Pod, container: string, previous: boolean): Promise<string[]> {
  const query = `container=${container}&tailLines=${logLines.read}&previous=${previous}`;
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${nameOf(pod)}/log?${query}`;
  const answer = await client.raw({ method: "GET", path, headers: {} });
  const text = await readText(answer.body);
  if (answer.status !== 200) return [];
  // What Node says of its own insides helps nobody who looks for a fault in their program.
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^ +at .*\(?node:|^Node\.js v\d/.test(line));
  return lines.slice(-logLines.shown);
}

function nameOf(pod: Pod): string {
  return pod.metadata.name ?? "";
}
