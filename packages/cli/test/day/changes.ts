import { type Deployment, type KubeClient, type KubeObject, type Pod, type StatefulSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { greeter, write } from "../fixture.ts";

/** A system that is used for a day: two services, one behind the other's back. */
export const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/" });
  const web = service("web", { source: "web", port: 3000, health: "/" });
  return [ingress("shop", { routes: { "/": web, "/api": api } })];
});
`;

/** Of the system, and of what an operator has beside it, where no quota holds it. */
const shop = "shop";
const namespace = "day";
const restricted = {
  automountServiceAccountToken: true,
  terminationGracePeriodSeconds: 1,
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
};

function container(script: string, more: object = {}): object {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  const resources = { requests: { cpu: "10m", memory: "8Mi" }, limits: { cpu: "1", memory: "64Mi" } };
  return { name: "c", image: "busybox", command: ["sh", "-c", script], securityContext, resources, ...more };
}

const idle = "trap 'exit 0' TERM; echo begins; sleep 100000 & wait";

function template(app: string, more: object = {}): object {
  const labels = { app };
  const mounts = { volumeMounts: [{ name: "settings", mountPath: "/settings" }] };
  const volumes = [{ name: "settings", configMap: { name: "settings" } }];
  const spec = { ...restricted, volumes, containers: [container(idle, mounts)] };
  return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec }, ...more };
}

/** So few old revisions are kept that a short day reaches the limit. */
const kept = 3;

/** What an operator has beside the system itself. */
export const objects: readonly object[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace }, data: { round: "0" } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "roller", namespace },
    spec: template("roller", { replicas: 1, revisionHistoryLimit: kept }),
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "keeper", namespace },
    spec: template("keeper", { replicas: 1, serviceName: "keeper", revisionHistoryLimit: kept }),
  },
];

export interface Used {
  readonly client: KubeClient;
  readonly folder: string;
  readonly port: number;
  /** How often the service has been brought to new code. */
  readonly restarted: (service: string) => number;
}

/** One round of what happens in a day: an edit, a rollout, a scale, a changed setting, a pod that goes, a Job, a namespace, readers. */
export async function round(used: Used, number: number): Promise<void> {
  await Promise.all([
    edit(used, number),
    roll(used.client, number),
    loseOnePod(used.client, number),
    run(used.client, number),
    visit(used.client, number),
    read(used, number),
  ]);
}

async function edit({ folder, restarted }: Used, number: number): Promise<void> {
  const before = restarted("api");
  write(folder, "api/src/main.ts", greeter(`round-${number}`));
  await eventually(() => restarted("api") > before, 60_000, 20);
}

async function roll(client: KubeClient, number: number): Promise<void> {
  const change = { spec: { template: { metadata: { annotations: { round: `${number}` } } } } };
  const replicas = 1 + (number % 2);
  await client.patch({ apiVersion: "v1", kind: "ConfigMap", namespace, name: "settings" }, "merge", {
    data: { round: `${number}` },
  });
  const roller = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: "roller" };
  const keeper = { apiVersion: "apps/v1", kind: "StatefulSet", namespace, name: "keeper" };
  await client.patch(roller, "merge", { spec: { ...change.spec, replicas } });
  await client.patch(keeper, "merge", change);
  if (number % 2 === 0) {
    const rollout = { spec: { ...change.spec, revisionHistoryLimit: kept } };
    await client.patch({ ...roller, namespace: shop, name: "web" }, "merge", rollout);
  }
  await eventually(async () => {
    const { metadata, spec, status } = await client.get<Deployment>(roller);
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec?.replicas &&
      status?.availableReplicas === spec?.replicas &&
      status?.replicas === spec?.replicas
    );
  }, 60_000);
  await eventually(async () => {
    const { metadata, status } = await client.get<StatefulSet>(keeper);
    return status?.observedGeneration === metadata.generation && status?.currentRevision === status?.updateRevision;
  }, 60_000);
}

async function loseOnePod(client: KubeClient, number: number): Promise<void> {
  const { items } = await client.list<Pod>(
    { apiVersion: "v1", kind: "Pod", namespace: shop },
    { labelSelector: number % 2 === 0 ? "app=web" : "app=api" },
  );
  const ready = items.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
  );
  // An edit may have this one under way: that it goes meanwhile is everyday business, too.
  const pod = ready[number % Math.max(ready.length, 1)];
  if (pod) await client.delete({ apiVersion: "v1", kind: "Pod", namespace: shop, name: pod.metadata.name ?? "" });
}

async function run(client: KubeClient, number: number): Promise<void> {
  await client.create({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `task-${number}`, namespace },
    spec: {
      ttlSecondsAfterFinished: 0,
      template: { spec: { ...restricted, restartPolicy: "Never", containers: [container("echo done")] } },
    },
  });
}

/** A namespace of somebody who stays for a moment. */
async function visit(client: KubeClient, number: number): Promise<void> {
  const name = `visitor-${number}`;
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const inside: object[] = [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: {} },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s" },
      spec: { selector: { app: "none" }, ports: [{ port: 80 }] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "i" },
      spec: { rules: [{ host: `${name}.example.com`, http: { paths: [pathTo("s")] } }] },
    },
  ];
  for (const object of inside as KubeObject[])
    await client.create({ ...object, metadata: { ...object.metadata, namespace: name } });
  await client.delete({ apiVersion: "v1", kind: "Namespace", name });
}

function pathTo(name: string): object {
  return { path: "/", pathType: "Prefix", backend: { service: { name, port: { number: 80 } } } };
}

/** People who look, and go: requests through the ingress, a log that is followed, a watch. */
async function read({ client, port }: Used, number: number): Promise<void> {
  for (const path of ["/", "/api"]) await fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text());
  await fetch(`http://127.0.0.1:${port}/`, { headers: { host: `visitor-${number}.example.com` } }).then((one) =>
    one.text(),
  );
  const pods = { apiVersion: "v1", kind: "Pod", namespace };
  const leave = new AbortController();
  const watching = (async () => {
    for await (const _ of client.watch<Pod>(pods, { signal: leave.signal })) break;
  })();
  const { items } = await client.list<Pod>(pods, { labelSelector: "app=roller" });
  const name = items[0]?.metadata.name ?? "";
  const log = client.raw({
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/pods/${name}/log?follow=true`,
    headers: {},
    signal: leave.signal,
  });
  const answer = await log;
  if (typeof answer.body === "object" && Symbol.asyncIterator in answer.body) for await (const _ of answer.body) break;
  await watching;
  leave.abort();
}

/** Resolves when nothing is under way any more, and what is old has been forgotten. */
export async function settled(client: KubeClient): Promise<void> {
  const list = async (apiVersion: string, kind: string) => (await client.list({ apiVersion, kind })).items;
  await eventually(
    async () => {
      const pods = (await list("v1", "Pod")) as Pod[];
      const quiet = pods.every(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === "Running");
      const jobs = await list("batch/v1", "Job");
      const visitors = (await list("v1", "Namespace")).filter(({ metadata }) => metadata.name?.startsWith("visitor-"));
      return quiet && jobs.length === 0 && visitors.length === 0 && (await list("v1", "Event")).length === 0;
    },
    120_000,
    500,
  );
}
