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

const logLines = 8;
const ordinals = ["", "once", "twice", "third time", "fourth time", "fifth time"];

/** How long a pod may wait for a node, or a program take to listen, before that counts as a fault (milliseconds). */
const patience = 10_000;

/** Looks at the newest pod of a workload that is not ready. Undefined while nothing is wrong yet. */
export async function diagnose(
  client: KubeClient,
  workload: WorkloadProgress,
  now: number,
): Promise<Diagnosis | undefined> {
  for (const pod of workload.pods) {
    const found = unscheduled(pod, now) ?? (await guiltyContainer(client, pod)) ?? (await deaf(client, pod, now));
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

async function guiltyContainer(client: KubeClient, pod: Pod): Promise<Diagnosis | undefined> {
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const waiting = status.state?.waiting;
    if (
      waiting?.reason &&
      /^(ErrImage|ImagePull|InvalidImage|CreateContainer|RunContainer)/.test(waiting.reason) &&
      waiting.reason !== "ContainerCreating"
    ) {
      return {
        summary: `${waiting.reason}: ${waiting.message ?? ""}`,
        pod: nameOf(pod),
        failed: true,
        log: [],
        instead: undefined,
      };
    }
    const ended =
      status.state?.terminated ?? (waiting?.reason === "CrashLoopBackOff" ? status.lastState?.terminated : undefined);
    if (ended && (ended.exitCode !== 0 || waiting)) return crashed(client, pod, status, ended);
  }
  return undefined;
}

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

async function crashed(client: KubeClient, pod: Pod, status: ContainerStatus, ended: Terminated): Promise<Diagnosis> {
  const times = (status.restartCount ?? 0) + (status.state?.terminated ? 1 : 0);
  const how =
    ended.reason === "OOMKilled" ? "needed more memory than its limit (OOMKilled)" : `exits with ${ended.exitCode}`;
  const log = await lastLines(client, pod, status.name, status.state?.terminated === undefined);
  return {
    summary: `${how}, ${ordinals[times] ?? `${times} times`}`,
    pod: nameOf(pod),
    failed: times >= 2,
    log,
    instead: ended.reason === "OOMKilled" ? "a larger resources.limits.memory" : undefined,
  };
}

/** A program that runs and does not answer where its probe asks: it listens elsewhere, or nowhere. */
async function deaf(client: KubeClient, pod: Pod, now: number): Promise<Diagnosis | undefined> {
  const status = pod.status?.containerStatuses?.find((each) => each.state?.running && !each.ready);
  const container = pod.spec?.containers.find((each) => each.name === status?.name);
  const startedAt = Date.parse(status?.state?.running?.startedAt ?? "");
  const probe = container?.readinessProbe;
  if (!status || !container || !probe || now - startedAt < patience + (probe.initialDelaySeconds ?? 0) * 1000)
    return undefined;
  const wanted = probedPort(container);
  const open = await listeningPorts(client, pod);
  const log = await lastLines(client, pod, status.name, false);
  const common = { pod: nameOf(pod), failed: true, log };
  if (open === undefined || open.includes(wanted)) {
    const path = probe.httpGet?.path;
    return {
      ...common,
      summary: `listens on ${wanted}${path ? `, but ${path} does not answer 200` : ", but is not ready"}`,
      instead: path ? `an answer to GET ${path}, or health: "<another path>"` : undefined,
    };
  }
  if (open.length === 0)
    return {
      ...common,
      summary: `listens nowhere; expected on port ${wanted}`,
      instead: `listen on the port in the environment variable PORT (${wanted}), on all addresses`,
    };
  return {
    ...common,
    summary: `listens on ${open.join(", ")}; expected on port ${wanted}`,
    instead: `port: ${open[0]} in system.ts, or listen on the port in the environment variable PORT`,
  };
}

function probedPort(container: Container): number {
  const port = container.readinessProbe?.httpGet?.port ?? container.readinessProbe?.tcpSocket?.port;
  const named = container.ports?.find((each) => each.name === port)?.containerPort;
  return named ?? Number(port ?? container.ports?.[0]?.containerPort ?? 0);
}

/** The TCP ports on which the pod accepts connections from others, as its kubelet sees them; undefined where the kubelet does not tell. */
async function listeningPorts(client: KubeClient, pod: Pod): Promise<number[] | undefined> {
  const path = `/api/v1/nodes/${pod.spec?.nodeName}/proxy/listeners/${pod.metadata.namespace}/${nameOf(pod)}`;
  const answer = await client.raw({ method: "GET", path, headers: {} });
  const text = await readText(answer.body);
  return answer.status === 200 ? (JSON.parse(text) as { ports: number[] }).ports : undefined;
}

async function lastLines(client: KubeClient, pod: Pod, container: string, previous: boolean): Promise<string[]> {
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${nameOf(pod)}/log?container=${container}&tailLines=${logLines}&previous=${previous}`;
  const answer = await client.raw({ method: "GET", path, headers: {} });
  const text = await readText(answer.body);
  return answer.status === 200 ? text.trimEnd().split("\n") : [];
}

function nameOf(pod: Pod): string {
  return pod.metadata.name ?? "";
}
