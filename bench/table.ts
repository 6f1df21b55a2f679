/** A line of the table. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly real?: number | undefined;
  /** How many times better than the real one, where that is not simply the quotient. */
  readonly ratio?: number;
  /** Processor time of the server an operation, in milliseconds. */
  readonly cpu?: number;
  readonly realCpu?: number;
  /** At most (or, of `/s`, at least) so much, whatever the real one does. */
  readonly budget?: number;
  /** At least so many times as good as the real one. */
  readonly times?: number;
}

const columns = [44, 16, 14, 8, 9, 17];

/** Prints a heading and its rows; each goal stands beside the figure, and what misses it is marked. */
export function printRows(heading: string, rows: readonly Row[]): void {
  const cells = (texts: readonly string[]) =>
    texts.map((text, at) => (at === 0 ? text.padEnd(columns[at] ?? 0) : text.padStart(columns[at] ?? 0))).join("");
  console.log(`\n${cells([heading, "here", "real", "ratio", "goal", "CPU ms here/real"])}`);
  for (const row of rows) {
    console.log(
      cells([
        row.what,
        `${round(row.value)} ${row.unit}`,
        row.real === undefined ? "" : `${round(row.real)} ${row.unit}`,
        ratioOf(row) === undefined ? "" : `${(ratioOf(row) as number).toFixed(1)}×`,
        goal(row),
        row.cpu === undefined ? "" : `${round(row.cpu)}${row.realCpu === undefined ? "" : `/${round(row.realCpu)}`}`,
      ]) + (missed(row) ? "  missed" : ""),
    );
  }
}

function ratioOf(row: Row): number | undefined {
  if (row.ratio !== undefined) return row.ratio;
  if (row.real === undefined) return undefined;
  return row.unit === "/s" ? row.value / row.real : row.real / row.value;
}

function goal({ budget, times, unit }: Row): string {
  const parts = [];
  if (times !== undefined) parts.push(`${times}×`);
  if (budget !== undefined) parts.push(`${unit === "/s" ? "≥" : "≤"} ${budget}`);
  return parts.join(" ");
}

function missed(row: Row): boolean {
  const ratio = ratioOf(row);
  if (row.times !== undefined && ratio !== undefined && ratio < row.times) return true;
  return row.budget !== undefined && (row.unit === "/s" ? row.value < row.budget : row.value > row.budget);
}

function round(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}
