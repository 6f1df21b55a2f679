import { each } from "./client.ts";
import { configMap, namespace } from "./bodies.ts";
import { type Figure, inRounds, type Target } from "./rounds.ts";
import type { Row } from "./table.ts";

const sizes = [10, 100, 1_000, 10_000];
const table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

const maps = (size: number) => `/api/v1/namespaces/bench-${size}/configmaps`;

const figures: readonly Figure[] = [
  get("get, one client", 300, 1),
  get("get, 16 clients", 600, 16),
  ...sizes.flatMap((size) => [list(size, "JSON"), list(size, "Table")]),
];

function get(what: string, count: number, clients: number): Figure {
  return {
    what,
    unit: "/s",
    count,
    times: 2,
    run: ({ client }) => each(count, clients, (index) => client.send({ path: `${maps(1000)}/map-${index}` })),
  };
}

function list(size: number, form: "JSON" | "Table"): Figure {
  const count = size >= 10_000 ? 1 : size >= 1_000 ? 5 : 20;
  return {
    what: `list ${size.toLocaleString("en")} ConfigMaps as ${form}`,
    unit: "ms",
    count,
    times: 2,
    run: ({ client }) =>
      each(count, 1, () => client.send({ path: maps(size), ...(form === "Table" ? { accept: table } : {}) })),
  };
}

/** Gets, and lists of 10 to 10,000 objects; with how each kind of list grows over the last tenfold. */
export async function reads(targets: readonly Target[], rounds: number): Promise<Row[]> {
  for (const { client } of targets) {
    for (const size of sizes) {
      await client.send({ method: "POST", path: "/api/v1/namespaces", body: namespace(`bench-${size}`) });
      await each(size, 32, (index) =>
        client.send({ method: "POST", path: maps(size), body: configMap(`map-${index}`) }),
      );
    }
    await client.send({ path: maps(100), accept: table });
  }
  const rows = await inRounds(targets, figures, rounds);
  return [...rows, ...["JSON", "Table"].map((form) => growth(rows, form))];
}

function growth(rows: readonly Row[], form: string): Row {
  const [large, small] = ["10,000", "1,000"].map((size) =>
    rows.find(({ what }) => what === `list ${size} ConfigMaps as ${form}`),
  );
  const quotient = (of: (row: Row) => number | undefined) =>
    large && small ? (of(large) ?? Number.NaN) / (of(small) ?? Number.NaN) : Number.NaN;
  const real = quotient((row) => row.real);
  return {
    what: `growth of it, 1,000 → 10,000, ${form}`,
    unit: "×",
    value: quotient((row) => row.value),
    ...(Number.isNaN(real) ? {} : { real }),
    budget: 10,
  };
}
