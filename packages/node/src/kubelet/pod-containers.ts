import type { Container, Pod } from "@dhow/kube";
import type { PodSandbox } from "../sandbox/sandbox.ts";
import { ContainerStarter, type StartInput } from "./container-starter.ts";
import { StartFailure } from "./start-failure.ts";
import type { NodeContext } from "./context.ts";
import type { KillDecision, Running } from "./decide.ts";
import { graceMilliseconds, killContainer, stopAll } from "./kill.ts";
import { latest, type PodRecord } from "./pod-record.ts";
import { ContainerProbes } from "./probes/container-probes.ts";
import type { RunningContainer } from "./running-container.ts";
import { StartAttempts } from "./start-attempts.ts";
import type { ContainerView } from "./status/container-status.ts";
import { podLabel } from "./status/format.ts";
import { isSidecar } from "./status/phase.ts";
import type { MountedVolume } from "./volumes/pod-volumes.ts";

export interface PodContainersOptions {
  readonly pod: Pod;
  readonly record: PodRecord;
  readonly context: NodeContext;
  readonly event: (container: Container, type: "Normal" | "Warning", reason: string, message: string) => void;
  /** Something of the containers is not as it was. */
  readonly onChange: () => void;
}

/** Beyond the grace period, for the kernel to end what it was told to end. */
const closingTime = 1000;

/** The containers of one pod that run now, and the attempts to start those that do not. */
export class PodContainers {
  readonly attempts: StartAttempts;
  readonly #options: PodContainersOptions;
  readonly #starter: ContainerStarter;
  readonly #running = new Map<string, RunningContainer>();
  /** Resolve when the end of what runs now is written down. */
  readonly #exits = new Map<string, Promise<void>>();
  readonly #starting = new Map<string, Promise<unknown>>();
  /** Once set, how a container ends is not written down: it ends only because the agent does. */
  #abandoned = false;

  constructor(options: PodContainersOptions) {
    this.#options = options;
    this.#starter = new ContainerStarter(options.context);
    this.attempts = new StartAttempts(podLabel(options.pod), options.context.clock);
  }

  get(name: string): RunningContainer | undefined {
    return this.#running.get(name);
  }

  list(): readonly RunningContainer[] {
    return [...this.#running.values()];
  }

  logPath(container: string, attempt: number): string {
    return this.#starter.logPath(this.#options.record.uid, container, attempt);
  }

  /** What a decision needs to know. */
  running(name: string): Running | undefined {
    const running = this.#running.get(name);
    if (!running) return undefined;
    return { started: running.started, stopping: running.stopping !== undefined, failedProbe: running.probes?.failed };
  }

  /** What the status shows of a container. */
  view(pod: Pod, container: Container): ContainerView {
    const running = this.#running.get(container.name);
    const waiting = this.attempts.waiting(container.name);
    const instance = latest(this.#options.record, container.name);
    const init = isInit(pod, container) && !isSidecar(container);
    return {
      started: running?.started ?? false,
      inPostStart: running?.inPostStart ?? false,
      ready: init ? instance?.state === "exited" && instance.exitCode === 0 : (running?.ready ?? false),
      ...(waiting ? { waiting } : {}),
    };
  }

  /**
   * Starts a container where its back-off allows it, and runs its postStart hook, which the signal gives up. True where the next attempt is a matter
   * of the next turn.
   */
  async start(
    pod: Pod,
    container: Container,
    sandbox: PodSandbox,
    volumes: ReadonlyMap<string, MountedVolume>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { record, event } = this.#options;
    if (!this.attempts.due(container, latest(record, container.name), event)) return false;
    const input = { pod, container, record, sandbox, volumes, event };
    let running: RunningContainer;
    try {
      const starting = this.#starter.start(input);
      this.#starting.set(container.name, starting);
      running = await starting;
    } catch (error) {
      return this.attempts.failed(container, error);
    } finally {
      this.#starting.delete(container.name);
    }
    this.attempts.started(container);
    this.#watch(running);
    const problem = await this.#greet(input, running, signal);
    if (problem === undefined) {
      this.#probe(running, sandbox.address);
      return false;
    }
    event(container, "Warning", "FailedPostStartHook", "PostStartHook failed");
    await this.kill(pod, sandbox.address, { container, message: "FailedPostStartHook" });
    return this.attempts.failed(container, new StartFailure("PostStartHookError", problem));
  }

  /** Resolves when an attempt to start the container that is under way, if one is, has succeeded or failed. */
  async settled(name: string): Promise<void> {
    await Promise.allSettled([this.#starting.get(name)]);
  }

  /** Runs the postStart hook, where the container has one; nobody is told that the container runs before it is done. */
  async #greet(input: StartInput, running: RunningContainer, signal: AbortSignal): Promise<string | undefined> {
    if (!input.container.lifecycle?.postStart) return undefined;
    running.inPostStart = true;
    const problem = await this.#starter.postStart(input, running, signal);
    running.inPostStart = false;
    return problem;
  }

  /** Ends a container within its grace period, and waits until that is written down. */
  async kill(pod: Pod, address: string, { container, probe, message }: KillDecision): Promise<void> {
    const running = this.#running.get(container.name);
    if (!running) return;
    await killContainer(this.#killContext(pod, address), running, graceMilliseconds(pod, container, probe), message);
    await this.#exits.get(container.name);
  }

  /**
   * Ends a run to make place for the next one, at once. It has been out of service for a while already, so that its preStop hook, which waits
   * for just that, has nothing to do. Waits until its end is written down.
   */
  async replace(pod: Pod, running: RunningContainer): Promise<void> {
    const { container, instance } = running;
    instance.replaced = true;
    this.attempts.forget(container);
    const exit = this.#exits.get(container.name);
    await running.replace(graceMilliseconds(pod, container));
    await exit;
  }

  /** Ends all of them; resolves when nothing runs any more. */
  async stopAll(pod: Pod, address: string, grace: number): Promise<void> {
    for (const running of this.#running.values()) running.probes?.stopAllButReadiness();
    await stopAll(this.#killContext(pod, address), this.list(), grace);
    await Promise.all(this.#exits.values());
  }

  /** Ends all of them with the agent: hooks are not run, and nothing is written down. */
  async abandon(grace: number): Promise<void> {
    this.#abandoned = true;
    const { clock } = this.#options.context;
    const all = Promise.all(this.list().map((running) => running.stop(grace))).then(() =>
      Promise.all(this.#exits.values()),
    );
    // Whatever does not end even so is the sandbox' to kill: the agent's own end does not wait for it.
    await Promise.race([all, new Promise<void>((resolve) => void clock.after(grace + closingTime, resolve))]);
  }

  /** Leaves those that are being ended no more than so many milliseconds. */
  hasten(milliseconds: number): void {
    for (const running of this.#running.values()) running.hasten(milliseconds);
  }

  #killContext(pod: Pod, address: string) {
    return { pod, address, clock: this.#options.context.clock, event: this.#options.event };
  }

  #watch(running: RunningContainer): void {
    const { container, instance } = running;
    const { record, onChange } = this.#options;
    this.#running.set(container.name, running);
    const exit = running.exited.then(async (how) => {
      running.probes?.stop();
      if (!this.#abandoned) await this.#starter.noteExit(record, container, instance, how);
      this.#running.delete(container.name);
      this.#exits.delete(container.name);
      onChange();
    });
    this.#exits.set(container.name, exit);
  }

  #probe(running: RunningContainer, address: string): void {
    const { container, instance, process } = running;
    if (running.ended || !(container.startupProbe || container.readinessProbe || container.livenessProbe)) return;
    const { context, event, onChange } = this.#options;
    const { clock } = context;
    running.probes = new ContainerProbes({
      container,
      process,
      address,
      startedAt: instance.startedAt ?? clock.now(),
      clock,
      onFailure: (type, outcome) =>
        event(container, "Warning", "Unhealthy", `${type} probe failed: ${outcome.message}`),
      onChange: () => onChange(),
    });
  }
}

export function isInit(pod: Pod, container: Container): boolean {
  return pod.spec.initContainers?.some(({ name }) => name === container.name) ?? false;
}
