import type { Clock } from "@dhow/base";
import type { Probe } from "@dhow/kube";
import type { ProbeOutcome } from "./probe-outcome.ts";

export type ProbeType = "Startup" | "Readiness" | "Liveness";
export type ProbeState = "Success" | "Failure" | "Unknown";

export interface ProbeWorkerOptions {
  readonly type: ProbeType;
  readonly probe: Probe;
  readonly clock: Clock;
  /** When the container started, milliseconds since 1970: the initial delay counts from there. */
  readonly startedAt: number;
  /** Makes one attempt. Never rejects. */
  readonly attempt: () => Promise<ProbeOutcome>;
  /** Told of each attempt that did not succeed, for an event. */
  readonly onFailure: (outcome: ProbeOutcome) => void;
  /** Told when the state that counts has changed. */
  readonly onChange: (state: ProbeState) => void;
}

/** What a worker says before it has seen enough (pkg/kubelet/prober/worker.go, newWorker). */
const initialState: Readonly<Record<ProbeType, ProbeState>> = {
  Startup: "Unknown",
  Readiness: "Failure",
  Liveness: "Success",
};

/**
 * One probe of one run of a container (pkg/kubelet/prober/worker.go): counts equal results in a row, and changes its state when a threshold is reached.
 * The first attempt is made when the initial delay has passed, never before, then one a period. A liveness failure and any verdict of a startup probe end it:
 * what follows is a new run of the container or, after startup, other probes.
 */
export class ProbeWorker {
  readonly #options: ProbeWorkerOptions;
  #state: ProbeState;
  #last: ProbeState | undefined;
  #run = 0;
  #cancel: () => void = () => undefined;
  #busy = false;
  #stopped = false;

  constructor(options: ProbeWorkerOptions) {
    this.#options = options;
    this.#state = initialState[options.type];
  }

  get state(): ProbeState {
    return this.#state;
  }

  /** Milliseconds until the first attempt may be made. */
  get delay(): number {
    const { clock, startedAt, probe } = this.#options;
    return Math.max(0, startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now());
  }

  start(): void {
    this.#schedule(this.delay);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** An attempt out of turn, as a kubelet's manual trigger: not before the initial delay has passed. */
  trigger(): void {
    if (this.#stopped || this.#busy || this.delay > 0) return;
    this.#cancel();
    void this.#attempt();
  }

  #schedule(milliseconds: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(milliseconds, () => void this.#attempt());
  }

  async #attempt(): Promise<void> {
    const { clock, probe, attempt, onFailure } = this.#options;
    const begin = clock.now();
    this.#busy = true;
    const outcome = await attempt();
    this.#busy = false;
    if (this.#stopped) return;
    if (outcome.result === "Failure") onFailure(outcome);
    this.#count(outcome.result);
    // A period is from start to start; an attempt that took longer is followed at once, as by a ticker.
    this.#schedule(Math.max(0, begin + (probe.periodSeconds ?? 10) * 1000 - clock.now()));
  }

  #count(result: ProbeState): void {
    const { type, probe, onChange } = this.#options;
    this.#run = this.#last === result ? this.#run + 1 : 1;
    this.#last = result;
    const threshold = result === "Success" ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (this.#run < threshold) return;
    const changed = this.#state !== result;
    this.#state = result;
    if (type === "Startup" || (type === "Liveness" && result === "Failure")) this.stop();
    if (changed) onChange(result);
  }
}
