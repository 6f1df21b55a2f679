import type { Report, Reporter } from "@dhow/base";
import type { Address, WorkloadReport } from "@dhow/development";
import { LiveBlock } from "./live-block.ts";
import { style } from "./style.ts";
import { errorLines, shownPlace } from "./errors.ts";

/** Shows what an `up` reports: lines that change in place at a terminal, one line an event elsewhere. */
export interface View extends Reporter {
  /** Leaves what is shown as it is. */
  end(): void;
  firstAddress(): string | undefined;
  failed(): boolean;
}

export interface ViewOptions {
  readonly system: string;
  readonly environment: string;
  readonly stream: NodeJS.WriteStream;
  /** What the keys do that are listened to once everything is ready; for commands that go on. */
  readonly keys?: string;
}

export function createView(options: ViewOptions): View {
  return options.stream.isTTY ? new LiveView(options) : new PlainView(options);
}

const width = 16;

function workloadLine({ name, ready, wanted, complete, seconds, diagnosis }: WorkloadReport): string {
  const count = `${ready}/${wanted}`;
  if (complete)
    return `  ${name.padEnd(width)}${style("green", "● ready")}  ${`${seconds.toFixed(1)} s`.padStart(6)}   ${count}`;
  if (diagnosis?.failed) return `  ${name.padEnd(width)}${style("red", "✗")} ${diagnosis.summary}`;
  return `  ${name.padEnd(width)}${style("yellow", "◌")} ${count.padEnd(14)} ${diagnosis?.summary ?? ""}`.trimEnd();
}

function diagnosisLines({ diagnosis }: WorkloadReport): string[] {
  if (!diagnosis?.failed) return [];
  const place = diagnosis.place ? [`      ${style("cyan", shownPlace(diagnosis.place))}`] : [];
  const log = diagnosis.log.map((line) => `      ${style("dim", line)}`);
  return [...place, ...log, ...(diagnosis.instead ? [`      Instead: ${diagnosis.instead}`] : [])];
}

/** An address as every command shows it; the name takes so many columns. */
export function addressLine({ name, url, signIn, problem }: Address, columns: number): string {
  if (problem !== undefined) return `  ${name.padEnd(columns)}${style("yellow", `not reached: ${problem}`)}`;
  const beside = signIn === undefined ? "" : `      ${style("dim", signIn)}`;
  return `  ${name.padEnd(columns)}${style("cyan", url)}${beside}`;
}

function readyLines(data: Report["data"]): string[] {
  const { addresses, kubeconfig } = data as { addresses: readonly Address[]; kubeconfig: string };
  const lines = addresses.map((address) => addressLine(address, width));
  return ["", ...lines, `  ${"kubectl".padEnd(width)}export KUBECONFIG=${kubeconfig}`, ""];
}

abstract class Base implements View {
  #first: string | undefined;
  readonly #failed = new Set<string>();

  abstract report(report: Report): void;
  abstract end(): void;

  firstAddress(): string | undefined {
    return this.#first;
  }

  failed(): boolean {
    return this.#failed.size > 0;
  }

  protected remember(report: Report): void {
    if (report.kind === "up.ready") this.#first = (report.data as { addresses: readonly Address[] }).addresses[0]?.url;
    if (report.kind === "up.failed") this.#failed.add(report.subject);
    if (report.kind === "up.workload" && (report.data as unknown as WorkloadReport).complete)
      this.#failed.delete(report.subject);
  }
}

/** One line an event: for logs and pipes. */
class PlainView extends Base {
  readonly #stream: NodeJS.WriteStream;
  readonly #heading: string;

  constructor({ system, environment, stream }: ViewOptions) {
    super();
    this.#stream = stream;
    this.#heading = `${system} · ${environment}`;
  }

  report(report: Report): void {
    this.remember(report);
    for (const line of linesOf(report, this.#heading)) this.#stream.write(`${line}\n`);
  }

  end(): void {}
}

function linesOf(report: Report, heading: string): string[] {
  switch (report.kind) {
    case "up.cluster":
      return [`${heading} · ${report.message}`];
    case "up.workload":
    case "up.failed":
      return [
        workloadLine(report.data as unknown as WorkloadReport),
        ...diagnosisLines(report.data as unknown as WorkloadReport),
      ];
    case "up.ready":
      return readyLines(report.data);
    case "source.syntax-error":
      return errorLines(report.data?.["error"] ?? report.message).map((line) => `  ${line}`);
    default:
      return report.level === "debug" ? [] : [`  ${report.subject.padEnd(width)}${report.message}`, ...wayOut(report)];
  }
}

function wayOut({ data }: Report): string[] {
  return typeof data?.["instead"] === "string" ? [`      Instead: ${data["instead"]}`] : [];
}

/** A block that is drawn anew whenever something changed; what is said once scrolls by above it. */
class LiveView extends Base {
  readonly #block: LiveBlock;
  readonly #heading: string;
  readonly #keys: readonly string[];
  readonly #workloads = new Map<string, WorkloadReport>();
  #ready: string[] = [];
  #headed = false;

  constructor({ system, environment, stream, keys }: ViewOptions) {
    super();
    this.#keys = keys === undefined ? [] : [style("dim", `  ${keys}`)];
    this.#block = new LiveBlock(stream);
    this.#heading = `${style("bold", system)} · ${environment}`;
    this.#block.draw([`${this.#heading} · starting`]);
  }

  report(report: Report): void {
    this.remember(report);
    if (report.kind === "up.workload" || report.kind === "up.failed")
      this.#workloads.set(report.subject, report.data as unknown as WorkloadReport);
    else if (report.kind === "up.ready") this.#ready = [...readyLines(report.data), ...this.#keys];
    else if (report.kind === "up.cluster") {
      this.#headed = true;
      this.#block.print([`${this.#heading} · ${report.message}`, ""]);
    } else this.#block.print(linesOf(report, this.#heading));
    this.#draw();
  }

  end(): void {
    this.#block.end();
  }

  #draw(): void {
    if (!this.#headed) return;
    const workloads = [...this.#workloads.values()].flatMap((workload) => [
      workloadLine(workload),
      ...diagnosisLines(workload),
    ]);
    this.#block.draw([...workloads, ...this.#ready]);
  }
}
