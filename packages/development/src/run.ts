import type { Clock, Reporter } from "@dhow/base";
import { type Cluster, defaultNodes, type Retention, startCluster } from "@dhow/cluster";
import { applyObjects } from "@dhow/deploy";
import type { KubeClient } from "@dhow/kube";
import { compile } from "@dhow/manifests";
import { addressesOf } from "./addresses.ts";
import { followEdits } from "./edits.ts";
import { writeImageTable } from "./image-table.ts";
import type { LoadedSystem } from "./load.ts";
import { followProgress } from "./progress.ts";
import { connect, stateFolder } from "./state.ts";

export interface RunOptions {
  readonly loaded: LoadedSystem;
  readonly port?: number | undefined;
  readonly httpsPort?: number | undefined;
  readonly apiPort?: number | undefined;
  readonly isolation?: "processes" | undefined;
  readonly detached: boolean;
  readonly retention?: Retention | undefined;
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** Ends everything that was started. */
  readonly signal: AbortSignal;
}

/**
 * Runs a system on the embedded cluster until the signal says stop. What happens is reported: `up.cluster` when the cluster
 * answers, `up.workload` whenever a workload got further, `up.ready` once with every address, `up.failed` when waiting alone will not
 * help, `source.*` for edits. Resolves when everything that was started has ended.
 */
export async function runSystem(options: RunOptions): Promise<void> {
  const { loaded, reporter, signal } = options;
  const { environment, name } = loaded.system;
  const folder = stateFolder(loaded.folder);
  const cluster = await startCluster({
    folder: folder.path,
    system: name,
    environment: environment.name,
    namespace: environment.namespace,
    detached: options.detached,
    nodes: defaultNodes,
    reporter,
    prepare: () => writeImageTable(folder.images, loaded),
    ...(options.retention && { retention: options.retention }),
    ...(options.port !== undefined && { port: options.port }),
    ...(options.httpsPort !== undefined && { httpsPort: options.httpsPort }),
    ...(options.isolation !== undefined && { isolation: options.isolation }),
    ...(options.apiPort !== undefined && { apiPort: options.apiPort }),
  });
  const { client, transport } = connect(cluster.folder);
  try {
    for (const note of cluster.notes) reporter.report({ kind: "up.note", level: "warn", subject: name, message: note });
    reporter.report({
      kind: "up.cluster",
      level: "info",
      subject: name,
      message: `embedded cluster 1.36, ${defaultNodes.length} nodes`,
    });
    await serve(client, cluster, options);
  } finally {
    transport.close();
    await cluster.stop();
  }
  if (!signal.aborted) return;
  reporter.report({ kind: "up.stopped", level: "info", subject: name, message: "stopped; data stays" });
}

async function serve(client: KubeClient, cluster: Cluster, options: RunOptions): Promise<void> {
  const { loaded, reporter, signal, clock } = options;
  const { namespace } = loaded.system.environment;
  await applyObjects(client, compile(loaded.system), namespace);
  const progress = followProgress({ client, loaded, reporter, clock, signal });
  progress.ready
    .then(async () => {
      const addresses = await addressesOf(client, namespace, {
        ingressPort: cluster.ingressPort,
        refusedPorts: cluster.refusedPorts(),
      });
      reporter.report({
        kind: "up.ready",
        level: "info",
        subject: loaded.system.name,
        message: "ready",
        data: { addresses, kubeconfig: cluster.folder.kubeconfig },
      });
    })
    .catch(() => undefined);
  const edits = followEdits({ client, loaded, reporter, signal });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await edits.close();
}
