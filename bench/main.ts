// Measures what the design sets budgets for, beside the same of a real Kubernetes where one is at hand, in one run. See README.md.
import { compiling } from "./compile.ts";
import { controlPlaneReady } from "./control-plane.ts";
import { manyDeployments } from "./deployments.ts";
import { endEverything, endWithLauncher } from "./endings.ts";
import { coldUp, smallSystemFigures } from "./embedded.ts";
import { median } from "./measure.ts";
import { reads } from "./reads.ts";
import { resting } from "./resting.ts";
import { hollowRollout, rollingUpdates } from "./rollout.ts";
import { type Target, targetOf } from "./rounds.ts";
import { type RealServer, startHere, startReal, temporary } from "./servers.ts";
import { printRows, type Row } from "./table.ts";
import { watches } from "./watches.ts";
import { writes } from "./writes.ts";

const entryPort = 18_080;
const realPort = 16_443;

type Section = (servers: Servers) => Promise<Row[]> | Row[];

/** In the order in which they are taken: what wants a machine at rest comes first. */
const sections: Readonly<Record<string, Section>> = {
  start: async ({ real }) => {
    const { uncompiled, first, later } = await controlPlaneReady(5);
    const figures = [
      { what: "control plane answers, first start, median of 5", of: first, budget: 250 },
      { what: "control plane answers, later starts, median of 5", of: later, budget: 250 },
      { what: "… first start, its code not compiled yet", of: [uncompiled], budget: undefined },
    ];
    return figures.map(({ what, of, budget }) => ({
      what,
      unit: "ms",
      value: median(of.map(({ milliseconds }) => milliseconds)),
      cpu: median(of.map(({ cpuMilliseconds }) => cpuMilliseconds)),
      budget,
      real: real?.startMilliseconds,
    }));
  },
  compile: () => compiling(5),
  up: async () => {
    const cold = [await coldUp(entryPort), await coldUp(entryPort), await coldUp(entryPort)];
    return [{ what: "up bookmeup → first answer, median of 3", unit: "ms", value: median(cold), budget: 3000 }];
  },
  idle: async ({ real }) => {
    const seconds = 15;
    const small = await smallSystemFigures(entryPort, 5, seconds);
    const peer = real && (await resting(real, seconds));
    return [
      {
        what: "memory, control plane + agent",
        unit: "MB",
        value: small.idleMegabytes,
        budget: 120,
        real: peer?.megabytes,
      },
      { what: `CPU over ${seconds} s`, unit: "% core", value: small.idlePercent, budget: 0.5, real: peer?.percent },
      { what: "edit → new code answers, median of 5", unit: "ms", value: median(small.editMilliseconds), budget: 300 },
    ];
  },
  writes: async ({ targets }) => writes(await targets(), 5),
  reads: async ({ targets }) => reads(await targets(), 5),
  watch: async ({ targets }) => watches(await targets(), 3),
  deployments: async ({ targets, real }) => {
    const both = await targets();
    // As shipped, its controllers are held to 20 requests a second.
    await real?.controllerManagerWith(["--kube-api-qps=10000", "--kube-api-burst=10000"]);
    return manyDeployments(both, 3);
  },
  rollout: async ({ targets }) => [
    ...(await hollowRollout(await targets(), 3)),
    ...(await rollingUpdates(entryPort, 3)),
  ],
};

/** The servers of this run; ours is started when the first section asks for it. */
class Servers {
  readonly real: RealServer | undefined;
  readonly #folder = temporary("dhow-bench-");
  #targets: Target[] | undefined;

  constructor(real: RealServer | undefined) {
    this.real = real;
  }

  readonly targets = async (): Promise<readonly Target[]> => {
    if (!this.#targets) {
      const servers = [await startHere(this.#folder.folder), ...(this.real ? [this.real] : [])];
      this.#targets = servers.map((server) => targetOf(server, 32));
    }
    return this.#targets;
  };

  close(): void {
    for (const { client } of this.#targets ?? []) client.close();
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in sections));
if (unknown.length > 0) {
  console.error(`no section ${unknown.join(", ")}: ${Object.keys(sections).join(", ")}`);
  process.exit(2);
}

endWithLauncher();
try {
  const peer = startReal(realPort);
  const servers = new Servers(typeof peer === "string" ? undefined : peer);
  for (const [name, take] of Object.entries(sections)) {
    if (wanted.length === 0 || wanted.includes(name)) printRows(name, await take(servers));
  }
  if (typeof peer === "string") console.log(`\nBeside a real Kubernetes: not measured, ${peer}.`);
  servers.close();
} finally {
  await endEverything();
}
