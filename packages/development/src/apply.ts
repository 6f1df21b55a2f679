import type { Clock, Report, Reporter } from "@dhow/base";
import type { RunningCluster } from "@dhow/cluster";
import { applyObjects } from "@dhow/deploy";
import { httpTransport, KubeClient, loadKubeconfig } from "@dhow/kube";
import { compile } from "@dhow/manifests";
import { addressesOf } from "./addresses.ts";
import { writeImageTable } from "./image-table.ts";
import type { LoadedSystem } from "./load.ts";
import { followProgress } from "./progress.ts";
import { requireRunning } from "./state.ts";

export interface ApplyOptions {
  readonly loaded: LoadedSystem;
  /** Of the cluster that is meant; without it, the one that `up` runs for this folder. */
  readonly kubeconfig?: string | undefined;
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** Ends the waiting; what was applied stays. */
  readonly signal: AbortSignal;
}

interface Target {
  readonly kubeconfig: string;
  readonly running: RunningCluster | undefined;
}

/**
 * Brings a system, in any of its environments, into a cluster that runs: what is described is applied, what is no longer described goes away, and what is to
 * be generated is made once, in the cluster. Reports as `runSystem` does. Resolves with true when everything is ready, with false when waiting alone will not help.
 */
export async function applySystem(options: ApplyOptions): Promise<boolean> {
  const { loaded, reporter, clock } = options;
  const { environment, name } = loaded.system;
  const { namespace } = environment;
  const { kubeconfig, running } = targetOf(options);
  const transport = httpTransport(loadKubeconfig(kubeconfig));
  const client = new KubeClient(transport);
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const say = (kind: string, message: string, data?: Report["data"]) =>
    reporter.report({ kind, level: "info", subject: name, message, ...(data && { data }) });
  try {
    await applyObjects(client, compile(loaded.system), namespace);
    say("up.cluster", `namespace ${namespace}`);
    const failed = Promise.withResolvers<false>();
    const watching: Reporter = {
      report(report) {
        reporter.report(report);
        if (report.kind === "up.failed") failed.resolve(false);
      },
    };
    const stopped = new Promise<false>((resolve) => signal.addEventListener("abort", () => resolve(false)));
    const progress = followProgress({ client, loaded, reporter: watching, clock, signal });
    const ready = await Promise.race([progress.ready.then(() => true), failed.promise, stopped]);
    if (!ready) return false;
    const addresses = running ? await addressesOf(client, namespace, running) : [];
    say("up.ready", "ready", { addresses, kubeconfig });
    return true;
  } finally {
    ended.abort();
    transport.close();
  }
}

function targetOf({ loaded, kubeconfig }: ApplyOptions): Target {
  if (kubeconfig !== undefined) return { kubeconfig, running: undefined };
  const { folder, running } = requireRunning(loaded.file);
  // The nodes of that cluster start images from their folders: those of this environment as well.
  writeImageTable(folder.images, loaded);
  return { kubeconfig: folder.kubeconfig, running };
}
