// Measures what the design sets budgets for, beside the same of a real Kubernetes where one is at hand, in one run.
import { controlPlaneReady } from "./control-plane.ts";
import { coldUp, smallSystemFigures } from "./embedded.ts";
import { median } from "./measure.ts";
import { realFigures } from "./real.ts";

const idleSeconds = 20;
const port = 18_080;

const starts = await controlPlaneReady(6);
const cold = [await coldUp(port), await coldUp(port), await coldUp(port)];
const small = await smallSystemFigures(port, 5, idleSeconds);
const real = await realFigures(16_443, idleSeconds);
const ofReal = typeof real === "string" ? undefined : real;

interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly budget: number;
  readonly real?: number | undefined;
}

const rows: Row[] = [
  {
    what: "control plane answers (first start)",
    value: starts[0] ?? Number.NaN,
    unit: "ms",
    budget: 250,
    real: ofReal?.startMilliseconds,
  },
  {
    what: "control plane answers (median of 5 more)",
    value: median(starts.slice(1)),
    unit: "ms",
    budget: 250,
    real: ofReal?.startMilliseconds,
  },
  { what: "up bookmeup → first answer (median of 3)", value: median(cold), unit: "ms", budget: 3000 },
  {
    what: "idle memory, control plane + agent",
    value: small.idleMegabytes,
    unit: "MB",
    budget: 120,
    real: ofReal?.idleMegabytes,
  },
  {
    what: `idle CPU over ${idleSeconds} s`,
    value: small.idlePercent,
    unit: "% of a core",
    budget: 0.5,
    real: ofReal?.idlePercent,
  },
  { what: "edit → new code answers (median of 5)", value: median(small.editMilliseconds), unit: "ms", budget: 300 },
];

const round = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
console.log(
  `${"".padEnd(44)}${"here".padStart(18)}${"budget".padStart(10)}${"real".padStart(10)}${"ratio".padStart(9)}`,
);
for (const { what, value, unit, budget, real: peer } of rows) {
  const ratio = peer === undefined ? "" : `${(peer / value).toFixed(1)}×`;
  const cells = [
    `${round(value)} ${unit}`.padStart(18),
    String(budget).padStart(10),
    (peer === undefined ? "" : round(peer)).padStart(10),
    ratio.padStart(9),
  ];
  console.log(what.padEnd(44) + cells.join(""));
}
if (typeof real === "string") console.log(`\nBeside a real Kubernetes: not measured, ${real}.`);
