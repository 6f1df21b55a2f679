import type { ChildProcess } from "node:child_process";
import { DhowError, type Fault, type Reporter } from "@dhow/base";
import type { PortEntrance } from "../agent/entrances.ts";

/** What a child says to the host. */
export type ChildMessage =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string; readonly fault?: object }
  | { readonly type: "open-port" | "close-port"; readonly entrance: PortEntrance };

export interface ChildOptions {
  readonly name: string;
  readonly spawn: () => ChildProcess;
  readonly reporter: Reporter;
  readonly onMessage?: (message: ChildMessage) => void;
  /** Called at every start, when the child says that it is ready. */
  readonly onReady?: () => void;
}

const firstDelay = 100;
const longestDelay = 5_000;

/** A process that is kept running: when it ends although nobody stopped it, it is started again, later each time. */
export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #stopping = false;
  /** Whether it has ever been ready: what has run before will run again, whatever keeps it from it now. */
  #proven = false;
  #delay = firstDelay;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get process(): ChildProcess | undefined {
    return this.#process;
  }

  /** Resolves when the child says that it is ready; rejects with what it says when it cannot start at all. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#options.spawn();
      this.#process = child;
      child.on("message", (message) => {
        const said = message as ChildMessage;
        if (said.type === "ready") {
          this.#delay = firstDelay;
          this.#proven = true;
          this.#options.onReady?.();
          resolve();
        } else if (said.type === "failed") {
          const error = failure(this.#options.name, said);
          if (this.#proven) this.#sayFailed(error.message);
          else this.#stopping = true;
          reject(error);
        } else this.#options.onMessage?.(said);
      });
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        reject(new Error(`${this.#options.name} ended with ${signal ?? code} before it was ready`));
        if (!this.#stopping && this.#process === child) this.#startAgain(String(signal ?? code));
      });
    });
  }

  /** Asks the child to end and waits; after `patience` milliseconds it is killed. */
  async stop(patience: number): Promise<void> {
    this.#stopping = true;
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
    if (child.connected) child.send({ type: "stop" });
    const timer = setTimeout(() => child.kill("SIGKILL"), patience);
    await ended;
    clearTimeout(timer);
  }

  #sayFailed(message: string): void {
    const { name, reporter } = this.#options;
    reporter.report({ kind: "cluster.start-failed", level: "error", subject: name, message });
  }

  #startAgain(how: string): void {
    const { name, reporter } = this.#options;
    reporter.report({
      kind: "cluster.restarted",
      level: "warn",
      subject: name,
      message: `the ${name} ended with ${how} and is started again`,
    });
    setTimeout(() => {
      if (!this.#stopping) this.start().catch(() => undefined);
    }, this.#delay);
    this.#delay = Math.min(this.#delay * 2, longestDelay);
  }
}

function failure(name: string, said: { message: string; fault?: object }): Error {
  const fault: Partial<Fault> | undefined = said.fault;
  if (!fault?.code) return new Error(`the ${name} does not start: ${said.message}`);
  const { code, instead, place } = fault;
  return new DhowError({ code, message: said.message, ...(instead && { instead }), ...(place && { place }) });
}
