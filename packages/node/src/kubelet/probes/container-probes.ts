import { type Clock, messageOf } from "@dhow/base";
import type { Container, Probe } from "@dhow/kube";
import type { ContainerProcess } from "../../sandbox/sandbox.ts";
import { resolvePort } from "../ports.ts";
import { execProbe } from "./exec-probe.ts";
import { grpcProbe } from "./grpc-probe.ts";
import { httpProbe, httpTarget } from "./http-probe.ts";
import { whenPortOpens } from "./port-watch.ts";
import { failure, type ProbeOutcome } from "./probe-outcome.ts";
import { type ProbeState, type ProbeType, ProbeWorker } from "./probe-worker.ts";
import { tcpProbe } from "./tcp-probe.ts";

export interface ContainerProbesOptions {
  readonly container: Container;
  readonly process: ContainerProcess;
  readonly address: string;
  readonly startedAt: number;
  readonly clock: Clock;
  readonly onFailure: (type: ProbeType, outcome: ProbeOutcome) => void;
  readonly onChange: (type: ProbeType, state: ProbeState) => void;
}

/** The probes of one run of a container: liveness and readiness wait for startup. */
export class ContainerProbes {
  readonly #options: ContainerProbesOptions;
  readonly #workers = new Map<ProbeType, ProbeWorker>();
  readonly #watches: (() => void)[] = [];
  #stopped = false;

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    const { container } = options;
    if (container.startupProbe) this.#add("Startup", container.startupProbe);
    if (container.readinessProbe) this.#add("Readiness", container.readinessProbe);
    if (container.livenessProbe) this.#add("Liveness", container.livenessProbe);
    if (container.startupProbe) this.#begin("Startup");
    else this.#beginAfterStartup();
  }

  /** Whether the startup probe, where there is one, has succeeded. */
  get started(): boolean {
    const startup = this.#workers.get("Startup");
    return !startup || startup.state === "Success";
  }

  get ready(): boolean {
    return this.started && (this.#workers.get("Readiness")?.state ?? "Success") === "Success";
  }

  /** The probe that demands a restart, if one does. */
  get failed(): "Liveness" | "Startup" | undefined {
    if (this.#workers.get("Startup")?.state === "Failure") return "Startup";
    return this.#workers.get("Liveness")?.state === "Failure" ? "Liveness" : undefined;
  }

  /** While a pod ends, only its readiness is of interest (worker.go: liveness and startup stop on deletion). */
  stopAllButReadiness(): void {
    this.#workers.get("Startup")?.stop();
    this.#workers.get("Liveness")?.stop();
  }

  stop(): void {
    this.#stopped = true;
    for (const worker of this.#workers.values()) worker.stop();
    for (const end of this.#watches) end();
  }

  #add(type: ProbeType, probe: Probe): void {
    const { clock, startedAt, onFailure, onChange } = this.#options;
    const worker = new ProbeWorker({
      type,
      probe,
      clock,
      startedAt,
      attempt: () => this.#attempt(probe),
      onFailure: (outcome) => onFailure(type, outcome),
      onChange: (state) => {
        if (type === "Startup" && state === "Success" && !this.#stopped) this.#beginAfterStartup();
        onChange(type, state);
      },
    });
    this.#workers.set(type, worker);
  }

  #beginAfterStartup(): void {
    this.#begin("Readiness");
    this.#begin("Liveness");
  }

  #begin(type: ProbeType): void {
    const worker = this.#workers.get(type);
    if (!worker) return;
    worker.start();
    if (type !== "Liveness") this.#watchPort(type, worker);
  }

  /** Readiness shows within milliseconds of the port's opening, not at the next period. */
  #watchPort(type: ProbeType, worker: ProbeWorker): void {
    const { container, address, clock } = this.#options;
    const probe = type === "Startup" ? container.startupProbe : container.readinessProbe;
    const action = probe?.httpGet ?? probe?.tcpSocket ?? probe?.grpc;
    if (!action) return;
    let port: number;
    try {
      port = resolvePort(container, action.port);
    } catch {
      return;
    }
    const host = ("host" in action && action.host) || address;
    const watch = () => {
      if (!this.#stopped) this.#watches.push(whenPortOpens(clock, host, port, () => this.#triggerUntilWell(worker)));
    };
    if (worker.delay > 0) this.#watches.push(clock.after(worker.delay, watch));
    else watch();
  }

  /** A server may accept before it answers well: a few more looks at growing distances, then the period alone counts. */
  #triggerUntilWell(worker: ProbeWorker): void {
    const { clock } = this.#options;
    for (const milliseconds of [0, 50, 150, 400]) {
      this.#watches.push(
        clock.after(milliseconds, () => {
          if (!this.#stopped && worker.state !== "Success") worker.trigger();
        }),
      );
    }
  }

  async #attempt(probe: Probe): Promise<ProbeOutcome> {
    const { container, process, address } = this.#options;
    const timeout = probe.timeoutSeconds ?? 1;
    try {
      if (probe.exec) return await execProbe(process, probe.exec.command ?? [], timeout);
      if (probe.httpGet) {
        const port = resolvePort(container, probe.httpGet.port);
        return await httpProbe(httpTarget(probe.httpGet, address, port), timeout);
      }
      if (probe.tcpSocket) {
        const port = resolvePort(container, probe.tcpSocket.port);
        return await tcpProbe(probe.tcpSocket.host || address, port, timeout * 1000);
      }
      if (probe.grpc) return await grpcProbe(address, probe.grpc.port, probe.grpc.service ?? "", timeout);
      return failure("missing probe handler");
    } catch (error) {
      return failure(messageOf(error));
    }
  }
}
