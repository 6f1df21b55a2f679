import type { KubeObject, Pod } from "@dhow/kube";
import { type Informer, startInformer } from "@dhow/kube";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NodeContext } from "./context.ts";
import { interruptRunning, type PodRecord } from "./pod-record.ts";
import { PodWorker } from "./pod-worker.ts";
import { makePassage } from "./volumes/passage.ts";

/** The pods of one node: a worker for each pod that is bound to it. */
export class Kubelet {
  readonly context: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #records: Map<string, PodRecord>;
  #informer: Informer<Pod & KubeObject> | undefined;

  constructor(context: NodeContext) {
    this.context = context;
    makePassage(context.podsFolder);
    this.#records = context.records.load();
    for (const record of this.#records.values()) {
      if (record.finished) continue;
      interruptRunning(record, context.clock.now());
      context.records.save(record);
    }
  }

  /** Begins to run what is bound to the node; resolves when all of it is known. */
  async start(signal: AbortSignal): Promise<void> {
    const { client, clock, nodeName } = this.context;
    const ref = { apiVersion: "v1", kind: "Pod" };
    const informer = startInformer<Pod & KubeObject>(client, ref, {
      fieldSelector: `spec.nodeName=${nodeName}`,
      signal,
      clock,
    });
    this.#informer = informer;
    informer.onChange((pod, old) => {
      if (pod) this.#changed(pod);
      else if (old) this.#removed(old);
    });
    await informer.synced;
    this.#forgetOthers();
  }

  workers(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  worker(namespace: string, name: string): PodWorker | undefined {
    return this.workers().find(({ pod }) => pod.metadata.namespace === namespace && pod.metadata.name === name);
  }

  /** Pods that wait for an image are tried again at once. */
  imagesChanged(): void {
    for (const worker of this.#workers.values()) worker.imagesChanged();
  }

  async shutdown(graceMilliseconds: number): Promise<void> {
    await Promise.all(this.workers().map((worker) => worker.shutdown(graceMilliseconds)));
  }

  #changed(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const present = this.#workers.get(uid);
    if (present) return present.update(pod);
    const worker = new PodWorker(pod, this.#record(pod), this.context);
    this.#workers.set(uid, worker);
    worker.wake();
  }

  #removed(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    if (!worker) return;
    this.#workers.delete(uid);
    this.#records.delete(uid);
    worker.remove().catch((error: unknown) => {
      this.context.reporter.report({
        kind: "pod.problem",
        level: "error",
        subject: `${pod.metadata.namespace}/${pod.metadata.name}`,
        message: String(error),
      });
    });
  }

  #record(pod: Pod): PodRecord {
    const { uid = "", namespace = "", name = "" } = pod.metadata;
    const known = this.#records.get(uid);
    if (known) return known;
    const started = pod.status?.startTime ? Date.parse(pod.status.startTime) : this.context.clock.now();
    const record: PodRecord = { uid, namespace, name, startTime: started, sandbox: 0, containers: {} };
    this.#records.set(uid, record);
    return record;
  }

  /** Pods that went away while the agent was down leave nothing behind. */
  #forgetOthers(): void {
    const known = new Set(this.#informer?.list().map((pod) => pod.metadata.uid));
    for (const uid of this.#records.keys()) {
      if (known.has(uid)) continue;
      this.#records.delete(uid);
      this.context.records.remove(uid);
    }
    for (const entry of readdirSync(this.context.podsFolder)) {
      if (!known.has(entry)) rmSync(join(this.context.podsFolder, entry), { recursive: true, force: true });
    }
  }
}
