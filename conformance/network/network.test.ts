import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { golden } from "@dhow/testkit";
import { programs } from "./programs/all.ts";
import { type Outcome, properties, type User, users } from "./properties.ts";
import { formatTable } from "./table.ts";
import { impossible, tryColumn } from "./trial.ts";

const table = join(import.meta.dirname, "README.md");
const columns = new Map<User, readonly Outcome[]>();

for (const user of users) {
  test(
    `pods: ${user}`,
    { skip: process.platform === "linux" ? (impossible(user) ?? false) : "not Linux" },
    async (context) => {
      const result = await tryColumn(user);
      if ("impossible" in result) {
        context.skip(result.impossible);
        return;
      }
      columns.set(user, result.outcomes);
      const starts = result.starts.toSorted((a, b) => a - b).map((milliseconds) => milliseconds.toFixed(0));
      const half = starts[Math.floor(starts.length / 2)];
      context.diagnostic(
        `${starts.length} pods started, half of them in ${half} ms, the slowest in ${starts.at(-1)} ms`,
      );
      for (const { name } of programs) {
        for (const property of properties) {
          const outcome = result.outcomes.find((each) => each.program === name && each.property === property);
          const skip =
            outcome?.verdict === "skipped" ? outcome.detail : outcome === undefined ? "the program is missing" : false;
          await context.test(`${name}: ${property}`, { skip }, () => {
            assert.notEqual(outcome?.verdict, "broken", outcome?.detail);
          });
        }
      }
    },
  );
}

after(() => {
  if (columns.size > 0) golden(table, formatTable(columns, readCommitted()));
});

function readCommitted(): string {
  try {
    return readFileSync(table, "utf8");
  } catch {
    return "";
  }
}
