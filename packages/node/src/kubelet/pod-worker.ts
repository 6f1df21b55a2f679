import { rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@dhow/base";
import type { Container, Pod, PodStatus } from "@dhow/kube";
import type { PodSandbox } from "../sandbox/sandbox.ts";
import { Backoff, configBackoff } from "./backoff.ts";
import { type NodeContext, podFacts, podKey } from "./context.ts";
import { decide } from "./decide.ts";
import { graceMilliseconds } from "./kill.ts";
import { podConfig, refusal } from "./pod-config.ts";
import { isInit, PodContainers } from "./pod-containers.ts";
import { PodLimits } from "./pod-limits.ts";
import { PodPublisher } from "./pod-publisher.ts";
import type { PodRecord } from "./pod-record.ts";
import { evictedReason } from "./pod-storage.ts";
import { replaceRun } from "./replace-run.ts";
import type { RunningContainer } from "./running-container.ts";
import { PodVolumes } from "./volumes/pod-volumes.ts";

/** What is left to containers whose pod was taken out of the API by force, or takes more than it may (immediateEvictionGracePeriodSeconds). */
const forcedGrace = 1000;

/**
 * Keeps one pod as its object says. It is told that something may have changed, never what: each turn compares the object with what runs, and
 * does what is missing.
 */
export class PodWorker {
  readonly record: PodRecord;
  readonly #context: NodeContext;
  readonly #containers: PodContainers;
  readonly #volumes: PodVolumes;
  readonly #publisher: PodPublisher;
  readonly #limits: PodLimits;
  readonly #retry: Backoff;
  /** Aborted when the pod is to end: what a turn waits for is given up. */
  readonly #interrupt = new AbortController();
  #pod: Pod;
  #sandbox: PodSandbox | undefined;
  #address: string | undefined;
  #busy: Promise<void> | undefined;
  #again = false;
  #cancelWake: () => void = () => undefined;
  #gone = false;
  #shuttingDown = false;

  constructor(pod: Pod, record: PodRecord, context: NodeContext) {
    this.#pod = pod;
    this.record = record;
    this.#context = context;
    this.#containers = new PodContainers({
      pod,
      record,
      context,
      event: (container, type, reason, message) => {
        const list = isInit(this.#pod, container) ? "initContainers" : "containers";
        this.#event(type, reason, message, `spec.${list}{${container.name}}`);
      },
      onChange: () => {
        this.publish();
        this.wake();
      },
    });
    this.#volumes = new PodVolumes(pod, { ...context, folder: this.folder });
    this.#publisher = new PodPublisher(pod, record, context);
    this.#retry = new Backoff(configBackoff, context.clock);
    this.#limits = new PodLimits({ pod, record, folder: this.folder, context, onExceeded: this.#endItself });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** As last calculated; the API may be a moment behind. */
  get status(): PodStatus | undefined {
    return this.#publisher.status;
  }

  get sandbox(): PodSandbox | undefined {
    return this.#sandbox;
  }

  get folder(): string {
    return join(this.#context.podsFolder, this.record.uid);
  }

  container(name: string): RunningContainer | undefined {
    return this.#containers.get(name);
  }

  running(): readonly RunningContainer[] {
    return this.#containers.list();
  }

  logPath(container: string, attempt: number): string {
    return this.#containers.logPath(container, attempt);
  }

  /** Takes the object as it is now. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#limits.update(pod);
    if (this.#sandbox) this.#volumes.update(pod, podFacts(this.#context, this.#sandbox.address));
    if (pod.metadata.deletionTimestamp) {
      this.#interrupt.abort();
      this.#containers.hasten(graceMilliseconds(pod));
    }
    this.wake();
  }

  /** The object is gone from the API: what still runs is ended at once. Resolves when nothing is left. */
  async remove(): Promise<void> {
    this.#gone = true;
    this.#publisher.stop();
    this.#interrupt.abort();
    this.#containers.hasten(forcedGrace);
    this.wake();
    while (this.#busy) await this.#busy;
    this.#cancelWake();
    this.#limits.stop();
    this.#volumes.remove();
    this.#context.tokens.forget(this.record.uid);
    rmSync(this.folder, { recursive: true, force: true });
    this.#context.records.remove(this.record.uid);
  }

  /** The agent ends: containers get a chance to finish, the API is told nothing, and what ran is run again by the next agent. */
  async shutdown(graceMilliseconds: number): Promise<void> {
    this.#shuttingDown = true;
    this.#publisher.stop();
    this.#interrupt.abort();
    this.#cancelWake();
    this.#limits.stop();
    await this.#containers.abandon(graceMilliseconds);
    while (this.#busy) await this.#busy;
    this.#volumes.close();
    await this.#sandbox?.remove();
  }

  /** See `replaceRun`. */
  async restart(name: string, alone = false): Promise<void> {
    await replaceRun({
      name,
      alone,
      pod: this.#pod,
      record: this.record,
      containers: this.#containers,
      clock: this.#context.clock,
      wake: () => this.wake(),
      tell: () => {
        this.publish();
        return this.#publisher.flush();
      },
      over: () => this.#mustEnd(),
    });
  }

  imagesChanged(): void {
    if (this.#containers.attempts.imagesChanged()) this.wake();
  }

  /** A turn is due: something may have changed. */
  wake(): void {
    if (this.#shuttingDown) return;
    this.#again = true;
    this.#busy ??= this.#turns();
  }

  /** Calculates the status and writes it where it has changed. */
  publish(): void {
    if (this.#gone || this.#shuttingDown) return;
    this.#publisher.publish({
      pod: this.#pod,
      address: this.#address,
      sandboxReady: this.#sandbox !== undefined,
      view: (container) => this.#containers.view(this.#pod, container),
    });
  }

  async #turns(): Promise<void> {
    await Promise.resolve();
    while (this.#again && !this.#shuttingDown) {
      this.#again = false;
      try {
        await this.#turn();
      } catch (error) {
        this.#report(messageOf(error));
        this.#wakeIn(1000);
      }
    }
    this.#busy = undefined;
  }

  async #turn(): Promise<void> {
    this.#cancelWake();
    const phase = this.#pod.status?.phase;
    const ended = (phase === "Succeeded" || phase === "Failed") && this.running().length === 0;
    if (this.record.finished || ended) return this.#finish();
    this.record.ended ??= refusal(this.#pod);
    if (this.#mustEnd()) return this.#end();
    this.publish();
    const sandbox = await this.#prepare();
    if (!sandbox) return;
    if (this.#mustEnd()) return this.#end();
    const decision = decide({
      pod: this.#pod,
      record: this.record,
      running: (name) => this.#containers.running(name),
    });
    if (decision.initialized && !this.record.initialized) {
      this.record.initialized = true;
      this.#context.records.save(this.record);
    }
    if (decision.finished) return this.#end();
    await Promise.all(decision.kill.map((kill) => this.#containers.kill(this.#pod, sandbox.address, kill)));
    for (const container of decision.start) await this.#start(container, sandbox);
    this.publish();
    const wait = this.#containers.attempts.soonest();
    if (wait !== undefined) this.#wakeIn(wait);
  }

  async #start(container: Container, sandbox: PodSandbox): Promise<void> {
    if (this.#mustEnd() || this.#shuttingDown) return;
    const { signal } = this.#interrupt;
    if (await this.#containers.start(this.#pod, container, sandbox, this.#volumes.mounted, signal)) this.#again = true;
  }

  #mustEnd(): boolean {
    return this.#gone || this.#pod.metadata.deletionTimestamp !== undefined || this.record.ended !== undefined;
  }

  /** The pod's network and volumes, side by side. Undefined where one of them has to wait. */
  async #prepare(): Promise<PodSandbox | undefined> {
    const config = podConfig(this.#pod, this.#context);
    const [sandbox, volumes] = await Promise.allSettled([
      this.#sandbox ?? this.#context.sandbox.createPod(config),
      this.#volumes.setUp(podFacts(this.#context, this.#sandbox?.address ?? "")),
    ]);
    if (sandbox.status === "fulfilled" && !this.#sandbox) {
      this.#sandbox = sandbox.value;
      this.#address = sandbox.value.address;
      // The address was not known to volumes that were made meanwhile.
      this.#volumes.update(this.#pod, podFacts(this.#context, this.#address));
    }
    if (sandbox.status === "rejected") {
      this.#event("Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${messageOf(sandbox.reason)}`);
    }
    if (volumes.status === "rejected") this.#event("Warning", "FailedMount", messageOf(volumes.reason));
    if (sandbox.status === "fulfilled" && volumes.status === "fulfilled") return sandbox.value;
    this.#retry.next("prepare", this.#context.clock.now());
    this.#wakeIn(this.#retry.delay("prepare"));
    return undefined;
  }

  /** Ends all that runs and gives back the sandbox; what is left is the status, and the logs until the object is gone. */
  async #end(): Promise<void> {
    this.publish();
    const hurried = this.#gone || this.record.ended?.reason === evictedReason;
    const grace = hurried ? forcedGrace : graceMilliseconds(this.#pod);
    await this.#containers.stopAll(this.#pod, this.#address ?? "", grace);
    if (this.#shuttingDown) return;
    await this.#sandbox?.remove();
    this.#sandbox = undefined;
    this.#volumes.close();
    this.#containers.attempts.clear();
    this.record.finished = true;
    if (!this.#gone) this.#context.records.save(this.record);
    await this.#finish();
  }

  async #finish(): Promise<void> {
    this.#limits.stop();
    this.record.finished = true;
    this.publish();
    if (this.#pod.metadata.deletionTimestamp && !this.#gone) await this.#publisher.remove();
  }

  /** The node ends the pod, for what its record says. */
  readonly #endItself = (type: "Normal" | "Warning"): void => {
    this.#context.records.save(this.record);
    const { reason = "", message = "" } = this.record.ended ?? {};
    this.#event(type, reason, message);
    this.#interrupt.abort();
    this.wake();
  };

  #wakeIn(milliseconds: number): void {
    this.#cancelWake();
    this.#cancelWake = this.#context.clock.after(milliseconds, () => this.wake());
  }

  #event(type: "Normal" | "Warning", reason: string, message: string, fieldPath?: string): void {
    if (this.#shuttingDown) return;
    this.#context.events.record({ about: this.#pod, type, reason, message, ...(fieldPath ? { fieldPath } : {}) });
  }

  #report(message: string): void {
    this.#context.reporter.report({ kind: "pod.problem", level: "error", subject: podKey(this.#pod), message });
  }
}
