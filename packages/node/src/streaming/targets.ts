import type { Kubelet } from "../kubelet/kubelet.ts";
import type { PodWorker } from "../kubelet/pod-worker.ts";
import type { RunningContainer } from "../kubelet/running-container.ts";

/** Said to the client with this HTTP status. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function findPod(kubelets: readonly Kubelet[], namespace: string, name: string): PodWorker {
  for (const kubelet of kubelets) {
    const worker = kubelet.worker(namespace, name);
    if (worker) return worker;
  }
  throw new RequestError(404, `pod "${name}" not found`);
}

export function findRunning(worker: PodWorker, container: string): RunningContainer {
  const name = container || (worker.pod.spec.containers[0]?.name ?? "");
  const running = worker.container(name);
  if (!running) throw new RequestError(500, `container not found ("${name}")`);
  return running;
}

export function flag(url: URL, ...names: readonly string[]): boolean {
  return names.some((name) => ["1", "true"].includes(url.searchParams.get(name) ?? ""));
}
