// `npm run day -- 500`: uses a cluster for so many rounds, and prints what it holds after 20 of them, in the middle, and at the end.
import { useForADay } from "./day.ts";

const rounds = Math.max(40, Number(process.argv[2] ?? 100));
const looks = [20, Math.round((20 + rounds) / 2), rounds];
const found = await useForADay({ looks, tell: (what) => console.error(what) });

const names = [...new Set(found.flatMap((each) => [...each.keys()]))];
const shown = (value: number | undefined) =>
  value === undefined ? "–" : Number.isInteger(value) ? String(value) : value.toFixed(1);
console.log(
  ["after rounds".padEnd(52), ...looks.map((look) => String(look).padStart(10)), "a round".padStart(10)].join(""),
);
for (const name of names) {
  const values = found.map((each) => each.get(name));
  // Of a thousand classes those are of interest of which there are more than there were.
  if (name.includes(": objects: ") && (values.at(-1) ?? 0) - (values[0] ?? 0) < rounds / 10) continue;
  const slope = ((values.at(-1) ?? 0) - (values[0] ?? 0)) / (rounds - 20);
  const cells = values.map((value) => shown(value).padStart(10));
  console.log([name.padEnd(52), ...cells, (slope === 0 ? "" : slope.toFixed(2)).padStart(10)].join(""));
}
