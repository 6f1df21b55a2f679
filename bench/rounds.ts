import { LoadClient } from "./client.ts";
import { cpuSeconds, median } from "./measure.ts";
import type { Server } from "./servers.ts";
import type { Row } from "./table.ts";

/** What one round of one figure gave on one server. */
export interface Measured {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
}

/** One figure that is taken of each server in turn. */
export interface Figure {
  readonly what: string;
  /** `/s`: how many operations a second; `ms`: how long one takes. */
  readonly unit: "/s" | "ms" | "s";
  /** Operations a round. */
  readonly count: number;
  /** How many times as fast as the real one it should be. */
  readonly times: number;
  /** A bound that holds whatever the real one does. */
  readonly budget?: number;
  /** What is measured. `round` tells rounds apart. */
  run(at: Target, round: number): Promise<void>;
  /** Not measured: what must be there before, and what must be gone after. */
  before?(at: Target, round: number): Promise<void>;
  after?(at: Target, round: number): Promise<void>;
}

export interface Target {
  readonly server: Server;
  readonly client: LoadClient;
}

export function targetOf(server: Server, sockets: number): Target {
  return { server, client: new LoadClient(server.connection, sockets) };
}

/**
 * Takes the figures of all servers `rounds` times. Both are asked within one round, the first of them in turn, so that whatever else the machine does meanwhile
 * bears on both; the ratio is the median of the rounds' ratios.
 */
export async function inRounds(targets: readonly Target[], figures: readonly Figure[], rounds: number): Promise<Row[]> {
  const taken = new Map<Figure, Map<string, Measured[]>>();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? targets : targets.toReversed();
    for (const figure of figures) {
      for (const target of order) {
        await figure.before?.(target, round);
        const measured = await once(figure, target, round);
        await figure.after?.(target, round);
        const ofFigure = taken.get(figure) ?? new Map<string, Measured[]>();
        taken.set(figure, ofFigure);
        ofFigure.set(target.server.name, [...(ofFigure.get(target.server.name) ?? []), measured]);
      }
    }
  }
  return figures.map((figure) => rowOf(figure, taken.get(figure) ?? new Map()));
}

async function once(figure: Figure, target: Target, round: number): Promise<Measured> {
  const cpu = () => target.server.pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const cpuBefore = cpu();
  const begin = performance.now();
  await figure.run(target, round);
  return { milliseconds: performance.now() - begin, cpuMilliseconds: (cpu() - cpuBefore) * 1000 };
}

function rowOf(figure: Figure, taken: ReadonlyMap<string, readonly Measured[]>): Row {
  const here = taken.get("here") ?? [];
  const real = taken.get("real");
  const value = (measured: Measured) => {
    if (figure.unit === "/s") return (figure.count * 1000) / measured.milliseconds;
    return measured.milliseconds / figure.count / (figure.unit === "s" ? 1000 : 1);
  };
  const cpu = (all: readonly Measured[]) => median(all.map((one) => one.cpuMilliseconds)) / figure.count;
  return {
    what: figure.what,
    unit: figure.unit,
    value: median(here.map(value)),
    cpu: cpu(here),
    times: figure.times,
    ...(figure.budget === undefined ? {} : { budget: figure.budget }),
    ...(real && {
      real: median(real.map(value)),
      realCpu: cpu(real),
      ratio: median(here.map((one, round) => (real[round]?.milliseconds ?? Number.NaN) / one.milliseconds)),
    }),
  };
}
