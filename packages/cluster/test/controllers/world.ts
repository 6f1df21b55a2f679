import { createApiServer } from "@dhow/apiserver";
import { systemClock } from "@dhow/base";
import { startControllers } from "@dhow/controllers";
import { type Event, type HttpRequest, type HttpResponse, KubeClient, type KubeObject, type Pod } from "@dhow/kube";
import { eventually, RecordingReporter } from "@dhow/testkit";
import { type FakeKubeletOptions, startFakeKubelet } from "../../../controllers/test/fake-kubelet.ts";

type StartOptions = Parameters<typeof startControllers>[0];

export interface WorldOptions extends Partial<StartOptions> {
  readonly nodes?: number;
  readonly nodeCpu?: string;
  readonly nodePods?: string;
  readonly outcome?: NonNullable<FakeKubeletOptions["outcome"]>;
  /** Answers a request in the API server's place: for APIs that others serve, such as metrics. */
  readonly intercept?: (request: HttpRequest) => HttpResponse | undefined;
  readonly kubelet?: boolean;
}

export interface World extends AsyncDisposable {
  readonly client: KubeClient;
  readonly reporter: RecordingReporter;
  /** Creates objects in the namespace `t`, with a version and kind at least. */
  apply(...objects: object[]): Promise<void>;
  get<T extends KubeObject = KubeObject>(apiVersion: string, kind: string, name: string): Promise<T>;
  list<T extends KubeObject = KubeObject>(apiVersion: string, kind: string): Promise<T[]>;
  pods(labels?: Record<string, string>): Promise<Pod[]>;
  /** The messages of events about an object, in the order of their first time. */
  events(name: string): Promise<string[]>;
}

/** An API server in this process, all controllers, nodes, and a kubelet that plays them. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { nodes = 2, nodeCpu = "8", nodePods = "110", outcome, intercept, kubelet = true, ...rest } = options;
  const api = await createApiServer(rest.clock ? { clock: rest.clock } : {});
  const awake = setInterval(() => undefined, 1000);
  const connection = { remoteAddress: "127.0.0.1", user: { name: "admin", groups: ["system:masters"] } };
  const request = async (asked: HttpRequest) => intercept?.(asked) ?? api.handle({ ...asked, connection });
  const client = new KubeClient({ request }, { userAgent: "kube-controller-manager" });
  const end = new AbortController();
  const reporter = new RecordingReporter();
  for (let i = 1; i <= nodes; i++) await registerNode(client, `n${i}`, nodeCpu, nodePods);
  await startControllers({ client, clock: systemClock, reporter, signal: end.signal, ...rest });
  if (kubelet) startFakeKubelet({ client, signal: end.signal, ...(outcome ? { outcome } : {}) });
  const world: World = {
    client,
    reporter,
    async apply(...objects) {
      for (const object of objects as KubeObject[]) {
        await client.create({ ...object, metadata: { namespace: "t", ...object.metadata } });
      }
    },
    get: (apiVersion, kind, name) => client.get({ apiVersion, kind, namespace: "t", name }),
    list: async <T extends KubeObject>(apiVersion: string, kind: string) =>
      (await client.list<T>({ apiVersion, kind, namespace: "t" })).items,
    async pods(labels = {}) {
      const labelSelector = Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
      return (
        await client.list<Pod>(
          { apiVersion: "v1", kind: "Pod", namespace: "t" },
          labelSelector ? { labelSelector } : {},
        )
      ).items;
    },
    async events(name) {
      const fieldSelector = `involvedObject.name=${name}`;
      const { items } = await client.list<Event>(
        { apiVersion: "v1", kind: "Event", namespace: "t" },
        { fieldSelector },
      );
      return items.map((event) => `${event.reason}: ${event.message}`);
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await api.close();
      clearInterval(awake);
    },
  };
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "t" } });
  if (!rest.only || rest.only.includes("serviceaccount"))
    await eventually(() => world.get("v1", "ServiceAccount", "default"));
  else await client.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "t" } });
  return world;
}

export async function registerNode(client: KubeClient, name: string, cpu = "8", pods = "110"): Promise<void> {
  const labels = { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": `zone-${name}` };
  const node = await client.create({ apiVersion: "v1", kind: "Node", metadata: { name, labels } });
  const capacity = { cpu, memory: "16Gi", pods };
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const ready = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    message: "",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  await client.updateStatus({ ...node, status: { capacity, allocatable: capacity, conditions: [ready] } });
  const fresh = await client.get({ apiVersion: "v1", kind: "Node", name });
  await client.update({ ...fresh, spec: {} });
}

/** A Deployment of `replicas` pods with a label `app`. */
export function deployment(name: string, replicas: number, spec: object = {}, pod: object = {}): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { replicas, ...template(name, pod), ...spec },
  };
}

/** Selector and template of a workload whose pods carry `app: name`. */
export function template(
  name: string,
  pod: object = {},
  labels: Record<string, string> = {},
): { selector: object; template: object } {
  return {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...labels } },
      spec: { containers: [{ name: "c", image: "x:1" }], ...pod },
    },
  };
}

/** Waits until the assertions hold; fails with what last did not. */
export async function holds(assertions: () => void | Promise<void>, timeout = 15_000): Promise<void> {
  await eventually(async () => {
    await assertions();
    return true;
  }, timeout);
}

/** Names in order, for comparing with what is expected. */
export function sorted(names: Iterable<string | undefined>): string[] {
  return [...names].map((name) => name ?? "none").sort((a, b) => (a < b ? -1 : 1));
}
