import { describe, test } from "node:test";
import {
  isStatusError,
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  type Pod,
  type StatusError,
} from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { Kubectl, kubectlPrograms, type KubectlProgram, noKubectl } from "./kubectl/kubectl.ts";
import { type Target, target } from "./target.ts";

/** What a fact is tried with: a namespace of its own in the target, and clients for it. */
export interface Trial {
  readonly target: Target;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly kubectl: Kubectl;
  /** Fires when the fact has held or failed: what goes on beside it ends. */
  readonly over: AbortSignal;
  /** Creates objects in the trial's namespace, with `apiVersion` and `kind` as they are; gives the last one. */
  create<T extends KubeObject>(...objects: Sketch[]): Promise<T>;
  get<T extends KubeObject>(apiVersion: string, kind: string, name: string): Promise<T>;
  list<T extends KubeObject>(apiVersion: string, kind: string, labelSelector?: string): Promise<T[]>;
  pod(name: string): Promise<Pod>;
  /** Waits until a pod is ready. */
  ready(name: string): Promise<Pod>;
  /** Waits until the pod has come to an end. */
  ended(name: string): Promise<Pod>;
}

/** An object as a test writes it: the namespace is the trial's. */
export interface Sketch {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; generateName?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface FactOptions {
  /** Why it cannot hold on a target; undefined where it can. */
  readonly onlyEmbedded?: string;
  readonly onlyReal?: string;
  /** What this machine lacks for it. */
  readonly lacking?: string | undefined;
  /** Of the namespace. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly program?: KubectlProgram;
}

let count = 0;

/** Facts of one area, tried beside each other. */
export function facts(area: string, body: () => void, concurrency = 6): void {
  describe(area, { concurrency, timeout: 240_000 }, body);
}

/** States a fact about Kubernetes, which the body tries in a namespace of its own. */
export function fact(name: string, body: (trial: Trial) => Promise<void>, options: FactOptions = {}): void {
  test(name, async (context) => {
    const where = await target();
    const skip = noKubectl() ?? options.lacking ?? (where.embedded ? options.onlyReal : options.onlyEmbedded);
    if (skip) return context.skip(skip);
    const over = new AbortController();
    const trial = await startTrial(where, options, over.signal);
    try {
      await body(trial);
    } catch (error) {
      await explain(trial, error);
      throw error;
    } finally {
      over.abort();
      await where.client.delete({ apiVersion: "v1", kind: "Namespace", name: trial.namespace });
    }
  });
}

async function startTrial(where: Target, options: FactOptions, over: AbortSignal): Promise<Trial> {
  const namespace = `fact-${process.pid}-${(count += 1)}`;
  const { client, kubeconfig, home } = where;
  await client.create({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, ...(options.labels ? { labels: { ...options.labels } } : {}) },
  });
  await eventually(() => client.find({ apiVersion: "v1", kind: "ServiceAccount", namespace, name: "default" }));
  const ref = (apiVersion: string, kind: string, name?: string): ObjectRef => ({
    apiVersion,
    kind,
    namespace,
    ...(name ? { name } : {}),
  });
  const pod = (name: string) => client.get<Pod>(ref("v1", "Pod", name));
  const program = options.program ? { program: options.program } : {};
  return {
    target: where,
    client,
    namespace,
    over,
    kubectl: new Kubectl({ kubeconfig, namespace, home, ...program }),
    create: async <T extends KubeObject>(...sketches: Sketch[]) => {
      let last: KubeObject | undefined;
      for (const sketch of sketches) {
        last = await client.create({ ...sketch, metadata: { namespace, ...sketch.metadata } });
      }
      return last as T;
    },
    get: <T extends KubeObject>(apiVersion: string, kind: string, name: string) =>
      client.get<T>(ref(apiVersion, kind, name)),
    list: async <T extends KubeObject>(apiVersion: string, kind: string, labelSelector?: string) =>
      (await client.list<T>(ref(apiVersion, kind), labelSelector ? { labelSelector } : {})).items,
    pod,
    ready: (name) =>
      eventually(async () => {
        const found = await pod(name);
        return isReady(found) ? found : undefined;
      }, 60_000),
    ended: (name) =>
      eventually(async () => {
        const found = await pod(name);
        return ["Succeeded", "Failed"].includes(found.status?.phase ?? "") ? found : undefined;
      }, 60_000),
  };
}

export function isReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}

/** A failed fact is read with what its pods and events said. */
async function explain(trial: Trial, error: unknown): Promise<void> {
  if (!(error instanceof Error)) return;
  const said = await Promise.all([
    trial.kubectl.answer`get all -o wide`,
    trial.kubectl.answer`get events --sort-by=.metadata.creationTimestamp`,
  ]).catch(() => []);
  error.message += said.map(({ stdout }) => `\n${stdout}`).join("");
}

/** A pod that runs a shell's text; what else its only container and its spec are to have may be given. */
export function shellPod(
  name: string,
  script: string,
  more: {
    container?: object;
    spec?: object;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  } = {},
): Sketch {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(more.labels ? { labels: more.labels } : {}),
      ...(more.annotations ? { annotations: more.annotations } : {}),
    },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ ...shell(script), ...more.container }],
      ...more.spec,
    },
  };
}

/** A container `main` that runs a shell's text. A shell that waits in `sleep` does not hear SIGTERM as process 1: `trap` makes it. */
export function shell(script: string): { name: string; image: string; command: string[] } {
  return { name: "main", image: toolsImage, command: ["sh", "-c", script] };
}

export const toolsImage = "busybox:1.37";
export const nodeImage = "node:24";

/** Waits without end, and ends at once when asked to. */
export const idle = "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done";

/** Facts that are tried with each kubectl of this machine. */
export function kubectlFacts(
  area: string,
  body: (fact: FactStatement, version: string) => void,
  concurrency = 6,
): void {
  const none = noKubectl();
  if (none) test(area, { skip: none });
  for (const program of kubectlPrograms()) {
    facts(
      `${area} (kubectl ${program.version})`,
      () => body((name, tried, options = {}) => fact(name, tried, { ...options, program }), program.version),
      concurrency,
    );
  }
}

export type FactStatement = (name: string, body: (trial: Trial) => Promise<void>, options?: FactOptions) => void;

/** What the server refused an attempt with; it is a failure where it did not. */
export async function refusal(attempt: Promise<unknown>): Promise<StatusError> {
  try {
    await attempt;
  } catch (error) {
    if (isStatusError(error)) return error;
    throw error;
  }
  throw new Error("it was to be refused");
}

/** Orders names, of which some may be missing. */
export function byText(a: string | undefined, b: string | undefined): number {
  return (a ?? "").localeCompare(b ?? "");
}
