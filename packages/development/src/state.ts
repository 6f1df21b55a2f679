import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { clusterFolder, type ClusterFolder, type RunningCluster, runningCluster } from "@dhow/cluster";
import { type HttpTransport, httpTransport, KubeClient, loadKubeconfig } from "@dhow/kube";
import { developmentError } from "./errors.ts";
import { systemFile } from "./load.ts";

/** Where the cluster of the system in this folder keeps what it has. */
export function stateFolder(systemFolder: string): ClusterFolder {
  return clusterFolder(join(systemFolder, ".dhow"));
}

/** The running cluster of a system, or an error that says how to start it. */
export function requireRunning(path: string): { folder: ClusterFolder; running: RunningCluster } {
  const systemFolder = dirname(systemFile(path));
  const folder = stateFolder(systemFolder);
  const running = runningCluster(folder);
  if (running) return { folder, running };
  throw developmentError("SYSTEM_NOT_RUNNING", {
    message: `no cluster runs for ${systemFolder}`,
    instead: `dhow up ${path}`,
  });
}

/** An administrator's client; the caller closes its connections. */
export function connect(folder: ClusterFolder): { client: KubeClient; transport: HttpTransport } {
  const transport = httpTransport(loadKubeconfig(folder.kubeconfig));
  return { client: new KubeClient(transport), transport };
}

/** Forgets everything that the cluster of a system stored. Throws while it runs. */
export function forget(systemFolder: string): void {
  const folder = stateFolder(systemFolder);
  const running = runningCluster(folder);
  if (running) {
    throw developmentError("SYSTEM_RUNS", {
      message: `${running.system} runs (process ${running.pid}), so its data stays`,
      instead: "dhow down first",
    });
  }
  rmSync(folder.path, { recursive: true, force: true });
}
