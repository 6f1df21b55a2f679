import { messageOf } from "@dhow/base";
import { type Container, isStatusError, type Pod, type PodCondition, type PodStatus } from "@dhow/kube";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { PodSandbox } from "../sandbox/sandbox.ts";
import { Backoff, configBackoff } from "./backoff.ts";
import { ContainerStarter, StartFailure } from "./container-starter.ts";
import { type NodeContext, podFacts, podKey } from "./context.ts";
import { decide, type KillDecision } from "./decide.ts";
import { graceMilliseconds, killContainer, stopAll } from "./kill.ts";
import { podConfig } from "./pod-config.ts";
import { type ContainerInstance, latest, type PodRecord } from "./pod-record.ts";
import { ContainerProbes } from "./probes/container-probes.ts";
import type { RunningContainer } from "./running-container.ts";
import { StartAttempts } from "./start-attempts.ts";
import type { ContainerView } from "./status/container-status.ts";
import { podLabel } from "./status/format.ts";
import { isSidecar } from "./status/phase.ts";
import { podStatus } from "./status/pod-status.ts";
import { StatusWriter } from "./status/status-writer.ts";
import { PodVolumes } from "./volumes/pod-volumes.ts";

const deadlineReason = "DeadlineExceeded";
const deadlineMessage = "Pod was active on the node longer than the specified deadline";

/**
 * Keeps one pod as its object says. It is told that something may have changed, never what: each turn compares the object with what runs, and
 * does what is missing.
 */
export class PodWorker {
  readonly record: PodRecord;
  readonly #context: NodeContext;
  readonly #starter: ContainerStarter;
  readonly #volumes: PodVolumes;
  readonly #writer: StatusWriter;
  readonly #attempts: StartAttempts;
  readonly #retry: Backoff;
  readonly #running = new Map<string, RunningContainer>();
  readonly #exits = new Set<Promise<void>>();
  /** Aborted when the pod is to end: what a turn waits for is given up. */
  readonly #interrupt = new AbortController();
  #pod: Pod;
  #sandbox: PodSandbox | undefined;
  #address: string | undefined;
  #conditions: readonly PodCondition[] = [];
  #status: PodStatus | undefined;
  #busy: Promise<void> | undefined;
  #again = false;
  #cancelWake: () => void = () => undefined;
  #cancelDeadline: () => void = () => undefined;
  #gone = false;
  #deleted = false;
  #shuttingDown = false;

  constructor(pod: Pod, record: PodRecord, context: NodeContext) {
    this.#pod = pod;
    this.record = record;
    this.#context = context;
    this.#starter = new ContainerStarter(context);
    this.#volumes = new PodVolumes(pod, { ...context, folder: this.folder });
    this.#writer = new StatusWriter(pod, context.client, context.clock, context.reporter);
    this.#attempts = new StartAttempts(podLabel(pod), context.clock);
    this.#retry = new Backoff(configBackoff, context.clock);
    this.#conditions = pod.status?.conditions ?? [];
    this.#armDeadline();
  }

  get pod(): Pod {
    return this.#pod;
  }

  get status(): PodStatus | undefined {
    return this.#status;
  }

  get sandbox(): PodSandbox | undefined {
    return this.#sandbox;
  }

  get folder(): string {
    return join(this.#context.podsFolder, this.record.uid);
  }

  container(name: string): RunningContainer | undefined {
    return this.#running.get(name);
  }

  running(): readonly RunningContainer[] {
    return [...this.#running.values()];
  }

  logPath(container: string, attempt: number): string {
    return this.#starter.logPath(this.record.uid, container, attempt);
  }

  /** Takes the object as it is now. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (this.#sandbox) this.#volumes.update(pod, podFacts(this.#context, this.#sandbox.address));
    if (pod.metadata.deletionTimestamp) {
      this.#interrupt.abort();
      for (const running of this.#running.values()) running.hasten(graceMilliseconds(pod));
    }
    this.wake();
  }

  /** The object is gone from the API: what still runs is ended at once. Resolves when nothing is left. */
  async remove(): Promise<void> {
    this.#gone = true;
    this.#writer.stop();
    this.#interrupt.abort();
    for (const running of this.#running.values()) running.hasten(1000);
    this.wake();
    while (this.#busy) await this.#busy;
    this.#cancelWake();
    this.#cancelDeadline();
    this.#volumes.remove();
    this.#context.tokens.forget(this.record.uid);
    rmSync(this.folder, { recursive: true, force: true });
    this.#context.records.remove(this.record.uid);
  }

  /** The agent ends: containers get a chance to finish, the API is told nothing, and what ran is run again by the next agent. */
  async shutdown(graceMilliseconds: number): Promise<void> {
    this.#shuttingDown = true;
    this.#writer.stop();
    this.#interrupt.abort();
    this.#cancelWake();
    this.#cancelDeadline();
    await Promise.all([...this.#running.values()].map((running) => running.stop(graceMilliseconds)));
    while (this.#busy) await this.#busy;
    this.#volumes.close();
    await this.#sandbox?.remove();
  }

  /** Ends a container and starts it again in the same sandbox without any back-off: its source has changed. */
  async restart(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (!running) return;
    running.draining = true;
    this.publish();
    await this.#writer.flush();
    this.#attempts.forget(running.container);
    await this.#kill({ container: running.container, message: `Container ${name} has new code, will be restarted` });
  }

  imagesChanged(): void {
    if (this.#attempts.imagesChanged()) this.wake();
  }

  /** A turn is due: something may have changed. */
  wake(): void {
    if (this.#shuttingDown) return;
    this.#again = true;
    this.#busy ??= this.#turns();
  }

  async #turns(): Promise<void> {
    await Promise.resolve();
    while (this.#again && !this.#shuttingDown) {
      this.#again = false;
      try {
        await this.#turn();
      } catch (error) {
        this.#report("error", messageOf(error));
        this.#wakeIn(1000);
      }
    }
    this.#busy = undefined;
  }

  async #turn(): Promise<void> {
    this.#cancelWake();
    const { phase } = this.#pod.status ?? {};
    if (this.record.finished || ((phase === "Succeeded" || phase === "Failed") && this.#running.size === 0)) {
      return this.#finish();
    }
    if (this.#mustEnd()) return this.#end();
    this.publish();
    if (!(await this.#prepare())) return;
    if (this.#mustEnd()) return this.#end();
    const decision = decide({ pod: this.#pod, record: this.record, running: (name) => this.#view(name) });
    if (decision.initialized && !this.record.initialized) {
      this.record.initialized = true;
      this.#context.records.save(this.record);
    }
    if (decision.finished) return this.#end();
    await Promise.all(decision.kill.map((kill) => this.#kill(kill)));
    for (const container of decision.start) {
      if (this.#mustEnd()) break;
      await this.#start(container);
    }
    this.publish();
    const wait = this.#attempts.soonest();
    if (wait !== undefined) this.#wakeIn(wait);
  }

  #view(name: string) {
    const running = this.#running.get(name);
    return (
      running && {
        started: running.started,
        stopping: running.stopping !== undefined,
        failedProbe: running.probes?.failed,
      }
    );
  }

  #mustEnd(): boolean {
    return this.#gone || this.#pod.metadata.deletionTimestamp !== undefined || this.record.ended !== undefined;
  }

  /** The pod's network and volumes, side by side. False where one of them has to wait. */
  async #prepare(): Promise<boolean> {
    const config = podConfig(this.#pod, this.#context);
    // The address is not known to volumes that are made meanwhile; those that show it are refreshed.
    const results = await Promise.allSettled([
      this.#sandbox ?? this.#context.sandbox.createPod(config),
      this.#volumes.setUp(podFacts(this.#context, this.#sandbox?.address ?? "")),
    ]);
    const [sandbox, volumes] = results;
    if (sandbox.status === "fulfilled" && !this.#sandbox) {
      this.#sandbox = sandbox.value;
      this.#address = sandbox.value.address;
      this.#volumes.update(this.#pod, podFacts(this.#context, this.#sandbox.address));
    }
    if (sandbox.status === "rejected") {
      this.#event("Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${messageOf(sandbox.reason)}`);
    }
    if (volumes.status === "rejected") this.#event("Warning", "FailedMount", messageOf(volumes.reason));
    if (sandbox.status === "fulfilled" && volumes.status === "fulfilled") return true;
    this.#retry.next("prepare", this.#context.clock.now());
    this.#wakeIn(this.#retry.delay("prepare"));
    return false;
  }

  async #start(container: Container): Promise<void> {
    const sandbox = this.#sandbox;
    if (!sandbox || !this.#attempts.due(container, latest(this.record, container.name), this.#containerEvent)) return;
    const input = {
      pod: this.#pod,
      container,
      record: this.record,
      sandbox,
      volumes: this.#volumes.mounted,
      event: this.#containerEvent,
    };
    let running: RunningContainer;
    try {
      running = await this.#starter.start(input);
    } catch (error) {
      if (this.#attempts.failed(container, error)) this.#again = true;
      return this.publish();
    }
    this.#attempts.started(container);
    this.#watch(running, sandbox.address);
    this.publish();
    const problem = await this.#starter.postStart(input, running, this.#interrupt.signal);
    if (problem === undefined) return;
    this.#containerEvent(container, "Warning", "FailedPostStartHook", "PostStartHook failed");
    await this.#kill({ container, message: "FailedPostStartHook" });
    this.#attempts.failed(container, new StartFailure("PostStartHookError", problem));
  }

  #watch(running: RunningContainer, address: string): void {
    const { container, instance } = running;
    this.#running.set(container.name, running);
    const exit = running.exited.then(async (how) => {
      running.probes?.stop();
      if (!this.#shuttingDown) await this.#starter.noteExit(this.record, container, instance, how);
      this.#running.delete(container.name);
      this.#exits.delete(exit);
      this.publish();
      this.wake();
    });
    this.#exits.add(exit);
    if (!container.startupProbe && !container.readinessProbe && !container.livenessProbe) return;
    running.probes = new ContainerProbes({
      container,
      process: running.process,
      address,
      startedAt: instance.startedAt ?? this.#context.clock.now(),
      clock: this.#context.clock,
      onFailure: (type, outcome) =>
        this.#containerEvent(container, "Warning", "Unhealthy", `${type} probe failed: ${outcome.message}`),
      onChange: () => {
        this.publish();
        this.wake();
      },
    });
  }

  async #kill({ container, probe, message }: KillDecision): Promise<void> {
    const running = this.#running.get(container.name);
    if (!running) return;
    await killContainer(this.#killContext(), running, graceMilliseconds(this.#pod, container, probe), message);
    await Promise.all(this.#exits);
  }

  #killContext() {
    return {
      pod: this.#pod,
      address: this.#address ?? "",
      clock: this.#context.clock,
      event: (type: "Normal" | "Warning", reason: string, message: string, container: Container) =>
        this.#containerEvent(container, type, reason, message),
    };
  }

  /** Ends all that runs and gives back the sandbox; what is left is the status, and the logs until the object is gone. */
  async #end(): Promise<void> {
    for (const running of this.#running.values()) running.probes?.stopAllButReadiness();
    this.publish();
    const grace = this.#gone ? 1000 : graceMilliseconds(this.#pod);
    await stopAll(this.#killContext(), [...this.#running.values()], grace);
    await Promise.all(this.#exits);
    if (this.#shuttingDown) return;
    await this.#sandbox?.remove();
    this.#sandbox = undefined;
    this.#volumes.close();
    this.#attempts.clear();
    this.record.finished = true;
    if (!this.#gone) this.#context.records.save(this.record);
    await this.#finish();
  }

  async #finish(): Promise<void> {
    this.#cancelDeadline();
    this.publish();
    if (!this.#pod.metadata.deletionTimestamp || this.#gone || this.#deleted) return;
    await this.#writer.flush();
    const { namespace = "", name = "", uid = "" } = this.#pod.metadata;
    try {
      const ref = { apiVersion: "v1", kind: "Pod", namespace, name };
      await this.#context.client.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid } });
      this.#deleted = true;
    } catch (error) {
      if (!isStatusError(error, "NotFound") && !isStatusError(error, "Conflict")) throw error;
    }
  }

  /** Calculates the status and writes it where it has changed. */
  publish(): void {
    if (this.#gone || this.#shuttingDown) return;
    const status = podStatus({
      pod: this.#pod,
      record: this.record,
      podIP: this.#address ?? this.#pod.status?.podIP,
      hostIP: this.#context.hostIP,
      sandboxReady: this.#sandbox !== undefined,
      terminal: this.record.finished ?? false,
      previousConditions: this.#previousConditions(),
      now: this.#context.clock.now(),
      view: (container) => this.#containerView(container),
    });
    this.#conditions = status.conditions ?? [];
    this.#status = status;
    this.#writer.set(status);
  }

  /** Its own as last calculated, those of others as the API has them. */
  #previousConditions(): PodCondition[] {
    const written = this.#pod.status?.conditions ?? [];
    const own = new Set(this.#conditions.map(({ type }) => type));
    return written
      .map((one) => (own.has(one.type) ? (this.#conditions.find(({ type }) => type === one.type) ?? one) : one))
      .concat(this.#conditions.filter(({ type }) => !written.some((one) => one.type === type)));
  }

  #containerView(container: Container): ContainerView {
    const running = this.#running.get(container.name);
    const waiting = this.#attempts.waiting(container.name);
    const instance = latest(this.record, container.name);
    return {
      started: running?.started ?? false,
      ready: running ? running.ready : this.#initialized(container, instance),
      ...(waiting ? { waiting } : {}),
    };
  }

  #initialized(container: Container, instance: ContainerInstance | undefined): boolean {
    const init = this.#pod.spec.initContainers?.some(({ name }) => name === container.name) ?? false;
    return init && !isSidecar(container) && instance?.state === "exited" && instance.exitCode === 0;
  }

  #armDeadline(): void {
    this.#cancelDeadline();
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || this.record.finished || this.record.ended) return;
    const left = this.record.startTime + seconds * 1000 - this.#context.clock.now();
    this.#cancelDeadline = this.#context.clock.after(Math.max(0, left), () => {
      this.record.ended = { reason: deadlineReason, message: deadlineMessage };
      this.#context.records.save(this.record);
      this.#event("Normal", deadlineReason, deadlineMessage);
      this.#interrupt.abort();
      this.wake();
    });
  }

  #wakeIn(milliseconds: number): void {
    this.#cancelWake();
    this.#cancelWake = this.#context.clock.after(milliseconds, () => this.wake());
  }

  readonly #containerEvent = (
    container: Container,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): void => {
    const init = this.#pod.spec.initContainers?.some(({ name }) => name === container.name);
    this.#event(type, reason, message, `spec.${init ? "initContainers" : "containers"}{${container.name}}`);
  };

  #event(type: "Normal" | "Warning", reason: string, message: string, fieldPath?: string): void {
    if (this.#shuttingDown) return;
    this.#context.events.record({ about: this.#pod, type, reason, message, ...(fieldPath ? { fieldPath } : {}) });
  }

  #report(level: "error" | "debug", message: string): void {
    this.#context.reporter.report({ kind: "pod.problem", level, subject: podKey(this.#pod), message });
  }
}
