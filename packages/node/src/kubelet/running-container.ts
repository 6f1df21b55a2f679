import type { Clock } from "@dhow/base";
import type { Container } from "@dhow/kube";
import { StringDecoder } from "node:string_decoder";
import type { ContainerExit, ContainerProcess } from "../sandbox/sandbox.ts";
import type { LogWriter } from "./logs/log-writer.ts";
import type { ContainerInstance } from "./pod-record.ts";
import type { ContainerProbes } from "./probes/container-probes.ts";

type Output = (stream: "stdout" | "stderr", bytes: Buffer) => void;

/** A container that runs now: its process, where its words go, and how it is ended. */
export class RunningContainer {
  readonly container: Container;
  readonly instance: ContainerInstance;
  readonly process: ContainerProcess;
  readonly log: LogWriter;
  readonly exited: Promise<ContainerExit>;
  probes: ContainerProbes | undefined;
  /** Its postStart hook runs, before the end of which it is not said to run (startContainer in pkg/kubelet/kuberuntime). */
  inPostStart = false;
  /** Set once it is being ended. */
  stopping: Promise<void> | undefined;
  readonly #clock: Clock;
  readonly #stopSignal: NodeJS.Signals;
  readonly #outputs = new Set<Output>();
  readonly #hastened = Promise.withResolvers<void>();
  #killAt = Number.POSITIVE_INFINITY;
  #cancelKill: () => void = () => undefined;
  #ended = false;
  /** Set once it is taken out of service, before it is ended on purpose. */
  #drained: Promise<void> | undefined;
  #draining = false;

  constructor(
    container: Container,
    instance: ContainerInstance,
    process: ContainerProcess,
    log: LogWriter,
    clock: Clock,
    imageStopSignal: NodeJS.Signals = "SIGTERM",
  ) {
    this.container = container;
    this.instance = instance;
    this.process = process;
    this.log = log;
    this.#clock = clock;
    this.#stopSignal = (container.lifecycle?.stopSignal as NodeJS.Signals | undefined) ?? imageStopSignal;
    const drained = [this.#read("stdout"), this.#read("stderr")];
    this.exited = process.exited.then(async (exit) => {
      this.#ended = true;
      this.#cancelKill();
      // What was said last is in the pipes still; a grandchild that holds them open must not keep the end from being told.
      await Promise.race([Promise.all(drained), readOnce(200)]);
      log.close();
      return exit;
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  get started(): boolean {
    return !this.#ended && !this.inPostStart && (this.probes?.started ?? true);
  }

  get ready(): boolean {
    return !this.#ended && !this.inPostStart && !this.#draining && (this.probes?.ready ?? true);
  }

  /** Takes it out of service: `leave` tells so whoever may send it something, and is not called where nobody does. */
  drain(leave: () => Promise<void>): Promise<void> {
    if (this.#drained) return this.#drained;
    const serves = this.ready;
    this.#draining = true;
    this.#drained = serves ? leave() : Promise.resolve();
    return this.#drained;
  }

  /** Hears everything that the container says from now on. */
  onOutput(listener: Output): () => void {
    this.#outputs.add(listener);
    return () => this.#outputs.delete(listener);
  }

  /**
   * Ends it: the preStop hook within the grace period, then the stop signal, then SIGKILL. At least 2 s are left for the signal to be heard
   * (minimumGracePeriodInSeconds in pkg/kubelet/kuberuntime). Calling it again changes nothing; see `hasten`.
   */
  stop(
    graceMilliseconds: number,
    preStop?: (milliseconds: number, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    this.stopping ??= this.#stop(graceMilliseconds, preStop);
    return this.stopping;
  }

  /**
   * Ends it to make place for the next run: as `stop`, but nobody waits for a program that does not hear its stop signal, as one that was
   * started a moment ago.
   */
  replace(graceMilliseconds: number): Promise<void> {
    this.stopping ??= this.#replace(graceMilliseconds);
    return this.stopping;
  }

  /** Leaves it no more than so many milliseconds from now. */
  hasten(milliseconds: number): void {
    if (!this.stopping) return;
    this.#killWithin(milliseconds);
    if (milliseconds <= 2000) this.#hastened.resolve();
  }

  async #stop(grace: number, preStop?: (milliseconds: number, signal: AbortSignal) => Promise<void>): Promise<void> {
    const begin = this.#clock.now();
    const gone = this.exited.then(() => undefined);
    if (preStop && grace > 0) {
      const end = new AbortController();
      await Promise.race([preStop(grace, end.signal), gone, this.#hastened.promise]);
      end.abort();
    }
    if (!this.#ended) {
      const left = Math.max(grace - (this.#clock.now() - begin), preStop && grace > 0 ? 2000 : 0);
      if (left > 0) this.process.kill(this.#stopSignal);
      this.#killWithin(left);
    }
    await gone;
  }

  async #replace(grace: number): Promise<void> {
    this.#killWithin(!this.#ended && this.process.kill(this.#stopSignal) ? grace : 0);
    await this.exited;
  }

  #killWithin(milliseconds: number): void {
    const at = this.#clock.now() + milliseconds;
    if (this.#ended || at >= this.#killAt) return;
    this.#killAt = at;
    this.#cancelKill();
    this.#cancelKill = this.#clock.after(Math.max(0, milliseconds), () => {
      if (!this.#ended) this.process.kill("SIGKILL");
    });
  }

  #read(stream: "stdout" | "stderr"): Promise<void> {
    const source = this.process[stream];
    if (!source) return Promise.resolve();
    const decoder = new StringDecoder("utf8");
    return new Promise((resolve) => {
      source.on("data", (bytes: Buffer) => {
        this.log.write(stream, decoder.write(bytes));
        for (const output of this.#outputs) output(stream, bytes);
      });
      source.on("error", () => resolve());
      source.on("close", () => resolve());
      source.on("end", () => resolve());
    });
  }
}

/** A while in which the event loop has looked at the pipes once at least: after a busy stretch the time may be over before anything was read. */
function readOnce(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(() => setImmediate(resolve), milliseconds).unref());
}
