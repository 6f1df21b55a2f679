import type { Clock, Reporter } from "@dhow/base";
import { diagnose, type Diagnosis, watchWorkloads, type WorkloadProgress } from "@dhow/deploy";
import type { KubeClient } from "@dhow/kube";

export interface ProgressOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What `up.workload` and `up.failed` carry. */
export interface WorkloadReport {
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
  readonly complete: boolean;
  /** From the beginning until it was ready, or until now. */
  readonly seconds: number;
  readonly diagnosis: Diagnosis | undefined;
}

/** How often a workload that is not ready is looked into (milliseconds). */
const interval = 1_000;

/** Reports each workload whenever it got further, and what is wrong with those that do not. */
export function followProgress(options: ProgressOptions): { readonly ready: Promise<void> } {
  const follower = new Follower(options);
  return { ready: follower.ready };
}

class Follower {
  readonly #options: ProgressOptions;
  readonly #start: number;
  readonly #said = new Map<string, string>();
  readonly #diagnoses = new Map<string, Diagnosis>();
  readonly #watch: ReturnType<typeof watchWorkloads>;
  readonly ready: Promise<void>;
  #markReady: () => void = () => undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#start = options.clock.now();
    this.ready = new Promise((resolve) => (this.#markReady = resolve));
    this.#watch = watchWorkloads(options.client, options.namespace, options.clock, options.signal);
    this.#watch.onChange(() => this.#look());
    void this.#watch.synced.then(() => this.#look());
    this.#diagnoseLater();
  }

  #look(): void {
    const workloads = this.#watch.current();
    for (const workload of workloads) this.#say(workload);
    if (workloads.length > 0 && workloads.every((workload) => workload.complete)) this.#markReady();
  }

  #say(workload: WorkloadProgress): void {
    const { name, ready, wanted, complete } = workload;
    if (complete) this.#diagnoses.delete(name);
    const diagnosis = this.#diagnoses.get(name);
    const key = JSON.stringify([ready, wanted, complete, diagnosis?.summary]);
    if (this.#said.get(name) === key) return;
    this.#said.set(name, key);
    const seconds = (this.#options.clock.now() - this.#start) / 1000;
    const data: WorkloadReport = { name, ready, wanted, complete, seconds, diagnosis };
    const kind = diagnosis?.failed ? "up.failed" : "up.workload";
    this.#options.reporter.report({
      kind,
      level: diagnosis ? "error" : "info",
      subject: name,
      message: diagnosis?.summary ?? `${ready}/${wanted}`,
      data: { ...data },
    });
  }

  #diagnoseLater(): void {
    const { clock, signal } = this.#options;
    clock.after(interval, () => {
      if (signal.aborted) return;
      void this.#diagnose().finally(() => this.#diagnoseLater());
    });
  }

  async #diagnose(): Promise<void> {
    const { client, clock } = this.#options;
    for (const workload of this.#watch.current().filter((each) => !each.complete)) {
      const found = await diagnose(client, workload, clock.now()).catch(() => undefined);
      if (!found) continue;
      this.#diagnoses.set(workload.name, found);
      this.#say(workload);
    }
  }
}
