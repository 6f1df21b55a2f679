import { type Clock, messageOf } from "@dhow/base";
import type { Container } from "@dhow/kube";
import { Backoff, configBackoff, crashLoopBackoff, imageBackoff } from "./backoff.ts";
import type { ContainerInstance } from "./pod-record.ts";
import { StartFailure } from "./start-failure.ts";
import { goDuration } from "./status/format.ts";

export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

type EventSink = (container: Container, type: "Normal" | "Warning", reason: string, message: string) => void;

interface Failure {
  readonly at: number;
  readonly kind: "image" | "config";
  readonly message: string;
  /** Whether the back-off was shown and told. */
  told: boolean;
}

/** How long a failed pull is shown as such before it is shown as backing off. */
const failureShown = 2000;

/** When the containers of one pod may be started, and why those that are not started wait. */
export class StartAttempts {
  readonly #clock: Clock;
  readonly #pod: string;
  readonly #crash: Backoff;
  readonly #image: Backoff;
  readonly #config: Backoff;
  readonly #waiting = new Map<string, Waiting>();
  readonly #failures = new Map<string, Failure>();
  readonly #told = new Map<string, string>();
  readonly #dueIn = new Map<string, number>();

  /** `pod` is the pod's label in messages. */
  constructor(pod: string, clock: Clock) {
    this.#pod = pod;
    this.#clock = clock;
    this.#crash = new Backoff(crashLoopBackoff, clock);
    this.#image = new Backoff(imageBackoff, clock);
    this.#config = new Backoff(configBackoff, clock);
  }

  waiting(container: string): Waiting | undefined {
    return this.#waiting.get(container);
  }

  /** Whether a start may be attempted now; where not, the reason is noted and told. */
  due(container: Container, last: ContainerInstance | undefined, event: EventSink): boolean {
    this.#dueIn.delete(container.name);
    if (!this.#failureOver(container, event)) return false;
    // What was replaced has not failed: its end counts neither now nor at the next one.
    if (last?.state !== "exited" || last.replaced) return true;
    const id = backoffId(container);
    const left = this.#crash.remaining(id, last.finishedAt ?? 0);
    if (left === 0) {
      this.#crash.next(id, last.finishedAt ?? 0);
      return true;
    }
    const delay = goDuration(this.#crash.delay(id));
    const message = `back-off ${delay} restarting failed container=${container.name} pod=${this.#pod}`;
    this.#waiting.set(container.name, { reason: "CrashLoopBackOff", message });
    this.#dueIn.set(container.name, left);
    if (this.#told.get(container.name) !== last.id) {
      this.#told.set(container.name, last.id);
      event(
        container,
        "Warning",
        "BackOff",
        `Back-off restarting failed container ${container.name} in pod ${this.#pod}`,
      );
    }
    return false;
  }

  started(container: Container): void {
    this.#waiting.delete(container.name);
    this.#failures.delete(container.name);
    this.#image.forget(backoffId(container));
    this.#config.forget(backoffId(container));
  }

  /** Notes why an attempt failed. True where the next one is a matter of the crash back-off, and so of the next turn. */
  failed(container: Container, error: unknown): boolean {
    const message = messageOf(error);
    const failure = error instanceof StartFailure ? error : new StartFailure("CreateContainerError", message);
    this.#waiting.set(container.name, { reason: failure.reason, message });
    if (failure.reason === "RunContainerError" || failure.reason === "PostStartHookError") return true;
    const kind = failure.image ? "image" : "config";
    const now = this.#clock.now();
    this.#failures.set(container.name, { at: now, kind, message, told: failure.reason === "ErrImageNeverPull" });
    const backoff = kind === "image" ? this.#image : this.#config;
    backoff.next(backoffId(container), now);
    const left = backoff.remaining(backoffId(container), now);
    this.#dueIn.set(container.name, kind === "image" ? Math.min(left, failureShown) : left);
    return false;
  }

  /** The next attempt is made without delay: its source, or the table of images, has changed. */
  forget(container: Container): void {
    this.#failures.delete(container.name);
    this.#crash.forget(backoffId(container));
    this.#image.forget(backoffId(container));
  }

  /** Images may be there now that were not. */
  imagesChanged(): boolean {
    let any = false;
    for (const [name, { kind }] of this.#failures) {
      if (kind === "image") any = this.#failures.delete(name) || any;
    }
    return any;
  }

  /** The pod ends: how its containers ended is shown, not what they waited for. */
  clear(): void {
    this.#waiting.clear();
    this.#dueIn.clear();
  }

  /** Milliseconds until an attempt is due; undefined where none waits. */
  soonest(): number | undefined {
    return this.#dueIn.size === 0 ? undefined : Math.min(...this.#dueIn.values());
  }

  #failureOver(container: Container, event: EventSink): boolean {
    const failure = this.#failures.get(container.name);
    if (!failure) return true;
    const backoff = failure.kind === "image" ? this.#image : this.#config;
    const left = backoff.remaining(backoffId(container), failure.at);
    if (left === 0) return true;
    const shown = failure.at + failureShown - this.#clock.now();
    this.#dueIn.set(container.name, failure.kind === "image" && shown > 0 ? Math.min(left, shown) : left);
    if (failure.kind === "config" || failure.told || shown > 0) return false;
    failure.told = true;
    const text = `Back-off pulling image "${container.image}"`;
    this.#waiting.set(container.name, {
      reason: "ImagePullBackOff",
      message: `${text}: ErrImagePull: ${failure.message}`,
    });
    event(container, "Normal", "BackOff", text);
    event(container, "Warning", "Failed", "Error: ImagePullBackOff");
    return false;
  }
}

/** A changed image is another container to the back-off. */
function backoffId(container: Container): string {
  return `${container.name}\n${container.image}`;
}
