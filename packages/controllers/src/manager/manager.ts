import { messageOf } from "@dhow/base";
import { type Informer, type KubeObject, startInformer } from "@dhow/kube";
import type { ControllerOptions } from "../options.ts";
import { type EventRecorder, EventWriter } from "./events.ts";
import { IndexBy } from "./index-by.ts";
import { WorkQueue } from "./work-queue.ts";

/** A kind as informers are named by it. */
export interface Kind<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  /** Never there: carries the type. */
  readonly type?: T;
}

/** One controller: `start` registers its handlers with shared informers and its queues; it must not wait for anything. */
export interface Controller {
  /** The name that kube-controller-manager's documentation gives it, without `-controller`. */
  readonly name: string;
  start(manager: Manager): void;
}

export interface QueueOptions {
  readonly workers?: number;
  readonly reconcile: (key: string) => Promise<number | void>;
}

/** What reconcilers share: one informer a kind, the client, events, clock. */
export class Manager {
  readonly options: ControllerOptions;
  readonly client: ControllerOptions["client"];
  readonly clock: ControllerOptions["clock"];
  readonly signal: AbortSignal;
  readonly queues: WorkQueue[] = [];
  readonly #informers = new Map<string, Informer>();
  readonly #indices = new Map<string, IndexBy<KubeObject>>();
  readonly #onceSynced: (() => void)[] = [];
  readonly #events: EventWriter;
  #synced = false;

  constructor(options: ControllerOptions) {
    this.options = options;
    this.client = options.client;
    this.clock = options.clock;
    this.signal = options.signal;
    this.#events = new EventWriter(options.client, options.clock, options.reporter, options.eventTtlMilliseconds);
  }

  /** The shared informer of a kind; asked for the first time, it begins to list and watch. */
  informer<T extends KubeObject>(kind: Kind<T>): Informer<T> {
    const key = `${kind.apiVersion}/${kind.kind}`;
    let informer = this.#informers.get(key);
    if (!informer) {
      const ref = { apiVersion: kind.apiVersion, kind: kind.kind };
      informer = startInformer(this.client, ref, { signal: this.signal, clock: this.clock });
      this.#informers.set(key, informer);
    }
    return informer as unknown as Informer<T>;
  }

  /** An index over a shared informer, itself shared by its name. Ask for it before registering handlers that use it. */
  index<T extends KubeObject>(kind: Kind<T>, name: string, keysOf: (object: T) => readonly string[]): IndexBy<T> {
    const key = `${kind.apiVersion}/${kind.kind}/${name}`;
    let index = this.#indices.get(key) as IndexBy<T> | undefined;
    if (!index) {
      const made = new IndexBy(keysOf);
      this.informer(kind).onChange((next, previous) => made.change(next, previous));
      this.#indices.set(key, made as unknown as IndexBy<KubeObject>);
      index = made;
    }
    return index;
  }

  recorder(component: string): EventRecorder {
    return this.#events.recorder(component);
  }

  /** A work queue whose work begins once all informers are synced. */
  queue(name: string, { workers = 4, reconcile }: QueueOptions): WorkQueue {
    const queue = new WorkQueue({
      name,
      clock: this.clock,
      signal: this.signal,
      workers,
      reconcile,
      onError: (key, error, failures) => this.report(name, key, error, failures),
    });
    this.queues.push(queue);
    if (this.#synced) queue.start();
    return queue;
  }

  /** Calls once the informers are synced; for what does not start with a change. */
  whenSynced(callback: () => void): void {
    if (this.#synced) callback();
    else this.#onceSynced.push(callback);
  }

  /** Calls again and again, the next time `milliseconds` after the last call ended, until the signal ends it. */
  every(milliseconds: number, name: string, action: () => Promise<void> | void): void {
    const run = async () => {
      try {
        await action();
      } catch (error) {
        this.report(name, "", error, 1);
      }
      next();
    };
    const next = () => {
      if (!this.signal.aborted) this.clock.after(milliseconds, () => void run());
    };
    this.whenSynced(next);
  }

  report(controller: string, key: string, error: unknown, failures: number): void {
    // One conflict or a lost race is everyday business; what fails again and again is not.
    this.options.reporter.report({
      kind: "controllers.retry",
      level: failures < 8 ? "debug" : "warn",
      subject: key ? `${controller} ${key}` : controller,
      message: messageOf(error),
      data: { failures },
    });
  }

  /** Waits for every informer that was asked for, then lets the queues work. */
  async begin(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced));
    this.#synced = true;
    for (const queue of this.queues) queue.start();
    for (const callback of this.#onceSynced.splice(0)) callback();
  }
}
