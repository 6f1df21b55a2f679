import type { Clock, Place, Reporter } from "@dhow/base";
import { diagnose, type Diagnosis, watchWorkloads, type WorkloadProgress } from "@dhow/deploy";
import type { KubeClient, Pod } from "@dhow/kube";
import { missingVariable, placeInLog } from "./guilty-place.ts";
import type { LoadedSystem } from "./load.ts";

export interface ProgressOptions {
  readonly client: KubeClient;
  readonly loaded: LoadedSystem;
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
  readonly diagnosis: LocatedDiagnosis | undefined;
}

/** A diagnosis with the place in the user's own source, where the log tells it. */
export interface LocatedDiagnosis extends Diagnosis {
  readonly place: Place | undefined;
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
  readonly #restarts = new Map<string, number>();
  readonly #diagnoses = new Map<string, LocatedDiagnosis>();
  readonly #watch: ReturnType<typeof watchWorkloads>;
  readonly ready: Promise<void>;
  #markReady: () => void = () => undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#start = options.clock.now();
    this.ready = new Promise((resolve) => (this.#markReady = resolve));
    this.#watch = watchWorkloads(
      options.client,
      options.loaded.system.environment.namespace,
      options.clock,
      options.signal,
    );
    this.#watch.onChange(() => this.#look());
    void this.#watch.synced.then(() => this.#look());
    this.#diagnoseLater();
  }

  #look(): void {
    const workloads = this.#watch.current();
    for (const pod of workloads.flatMap((each) => each.pods)) {
      for (const { name } of pod.status?.containerStatuses ?? []) this.#restartsBefore(pod, name);
    }
    for (const workload of workloads) this.#say(workload);
    if (workloads.length > 0 && workloads.every((workload) => workload.complete)) this.#markReady();
  }

  #say(workload: WorkloadProgress): void {
    const { name, ready, wanted, complete } = workload;
    if (complete) this.#diagnoses.delete(name);
    const diagnosis = this.#diagnoses.get(name);
    // The fourth crash says nothing that the third has not said.
    const key = JSON.stringify([ready, wanted, complete, diagnosis?.failed === true || diagnosis?.summary]);
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

  /** Remembered when a container is seen first. A pod of this run begins at none. */
  #restartsBefore(pod: Pod, container: string): number {
    const key = `${pod.metadata.uid}/${container}`;
    const status = pod.status?.containerStatuses?.find((each) => each.name === container);
    const isOld = Date.parse(pod.metadata.creationTimestamp ?? "") < this.#start - 1000;
    // An agent that starts anew runs what it finds again, which counts as a restart and is nobody's fault.
    if (!this.#restarts.has(key)) this.#restarts.set(key, isOld ? (status?.restartCount ?? 0) : 0);
    return this.#restarts.get(key) ?? 0;
  }

  #locate(name: string, diagnosis: Diagnosis): LocatedDiagnosis {
    const { loaded } = this.#options;
    const place = placeInLog(loaded, name, diagnosis.log);
    return { ...diagnosis, place, instead: diagnosis.instead ?? missingVariable(loaded, name, diagnosis.log) };
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
    const scope = {
      client,
      now: clock.now(),
      // Kubernetes tells times in whole seconds.
      since: Math.floor(this.#start / 1000) * 1000,
      restartsBefore: (pod: Pod, name: string) => this.#restartsBefore(pod, name),
    };
    for (const workload of this.#watch.current().filter((each) => !each.complete)) {
      const found = await diagnose(scope, workload).catch(() => undefined);
      if (!found) continue;
      this.#diagnoses.set(workload.name, this.#locate(workload.name, found));
      this.#say(workload);
    }
  }
}
