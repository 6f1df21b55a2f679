import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { silent } from "@dhow/base";
import { type Cluster, defaultNodes, startCluster } from "@dhow/cluster";
import { type HttpTransport, httpTransport, KubeClient, loadKubeconfig } from "@dhow/kube";

/** The cluster that a suite holds against: nothing but its kubeconfig, and where its entry points are. */
export interface Target {
  readonly kubeconfig: string;
  /** Whether it is Dhow's own; what can only hold on one side asks for this and says why. */
  readonly embedded: boolean;
  readonly client: KubeClient;
  /** A folder for the home of the clients, gone at the end. */
  readonly home: string;
  /** The ingress for HTTP, as `http://127.0.0.1:8080`. */
  readonly ingress: string;
  /** The same for HTTPS. */
  readonly ingressTls: string;
  /** The host on which node ports answer. */
  readonly nodeHost: string;
}

let started: Promise<Target> | undefined;
let cluster: Cluster | undefined;
let transport: HttpTransport | undefined;
let home: string | undefined;

/** The cluster of `DHOW_CONFORMANCE_KUBECONFIG`; where that is not set an embedded one, started once a process and ended with it. */
export function target(): Promise<Target> {
  return (started ??= findTarget());
}

/** A suite that starts a cluster of its own, and ends it, offers it before it states a fact of it. */
export function offerTarget(
  asked: Pick<Target, "kubeconfig" | "home" | "embedded" | "ingress" | "ingressTls">,
): Target {
  const own = { ...asked, nodeHost: "127.0.0.1", client: clientOf(asked.kubeconfig) };
  started = Promise.resolve(own);
  return own;
}

async function findTarget(): Promise<Target> {
  home = realpathSync(mkdtempSync(join(tmpdir(), "dhow-conformance-")));
  const given = process.env["DHOW_CONFORMANCE_KUBECONFIG"];
  cluster = given ? undefined : await embedded(join(home, "cluster"));
  const kubeconfig = given ?? cluster?.folder.kubeconfig ?? "";
  return {
    kubeconfig,
    home,
    embedded: cluster !== undefined,
    client: clientOf(kubeconfig),
    ingress: process.env["DHOW_CONFORMANCE_INGRESS"] ?? `http://127.0.0.1:${cluster?.ingressPort ?? 80}`,
    ingressTls: process.env["DHOW_CONFORMANCE_INGRESS_TLS"] ?? `https://127.0.0.1:${cluster?.httpsPort ?? 443}`,
    nodeHost: process.env["DHOW_CONFORMANCE_NODE_HOST"] ?? "127.0.0.1",
  };
}

function clientOf(kubeconfig: string): KubeClient {
  transport = httpTransport(loadKubeconfig(kubeconfig));
  return new KubeClient(transport);
}

async function embedded(folder: string): Promise<Cluster> {
  const about = { system: "conformance", environment: "development", namespace: "default", detached: false };
  const ports = { port: 0, httpsPort: 0 };
  return startCluster({ folder, ...about, ...ports, nodes: defaultNodes, reporter: silent });
}

after(async () => {
  await started?.catch(() => undefined);
  transport?.close();
  await cluster?.stop();
  if (cluster && process.env["DHOW_CONFORMANCE_LOGS"]) sayLogs(cluster);
  if (cluster) rmSync(dirname(cluster.folder.apiSocket), { recursive: true, force: true });
  if (home) rmSync(home, { recursive: true, force: true });
});

/** `DHOW_CONFORMANCE_LOGS=1` shows what the cluster's processes said, before their folder goes. */
function sayLogs({ folder }: Cluster): void {
  for (const name of ["control-plane", "agent"]) {
    process.stderr.write(`--- ${name}\n${readFileSync(join(folder.logs, `${name}.log`), "utf8")}`);
  }
}
